"""Named distributions of sizes and durations: ``lognormal:mean=10MB,sigma=1``, ``1MB..20MB``, ``250MB``.

::

    constant:value=10MB                             always the same; short: 10MB
    uniform:low=1MB,high=20MB                       each whole number as likely as the others; short: 1MB..20MB
    exponential:mean=10MB                           waiting times
    lognormal:mean=10MB,sigma=1                     files and task durations of real workflows: most small, some large
    pareto:least=1MB,alpha=1.5                      heavy tails; up to alpha = 1 no mean exists
    bimodal:low=1MB,high=100MB,share=0.1,spread=0.2 two kinds: ``share`` of the draws lie around ``high``

Those with a tail take ``most=``: larger draws become that. A draw is the quantile of one even share (inverse
transform): with one seed, the k-th draw of every distribution belongs to the same share, so another mean changes sizes
and nothing else. Quantiles do not use the machine's mathematical library (see :mod:`.draws`): equal shares give equal
draws everywhere. Draws are whole numbers (bytes, milliseconds), rounded to the nearest, at least 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal, localcontext
from math import sqrt
from typing import Any, Protocol

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from ..units import MAX_BYTES
from .draws import EXACTLY, exponential, logarithm

Amounts = Callable[[str], int]
"""How the text of a size or of a duration becomes a whole number; ``ValueError`` with ``allowed ...`` if it is none."""


class Distribution(Protocol):
    """What sizes or durations are drawn from."""

    def at(self, share: float) -> int:
        """The quantile of ``share``, which lies between 0 and 1 (both excluded)."""
        ...


def _amount(default: Any = MISSING) -> Any:
    """A parameter in bytes or milliseconds."""
    return field(default=default, metadata={"amount": True, "least": 1, "most": MAX_BYTES})


def _number(least: float, most: float, default: Any = MISSING) -> Any:
    """A parameter without a unit."""
    return field(default=default, metadata={"amount": False, "least": least, "most": most})


class _Checked:
    """Parameters within their ranges; ``InputError`` with every one that is not."""

    def __post_init__(self) -> None:
        mistakes = list(self._mistakes())
        if mistakes:
            raise InputError(type(self).__name__.lower(), mistakes)

    def _mistakes(self) -> Iterator[Mistake]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        for f in fields(self):  # type: ignore[arg-type]
            value, least, most = values[f.name], f.metadata["least"], f.metadata["most"]
            # Not written as `value < least`: NaN must be refused too.
            if value is not None and not least <= value <= most:
                yield Mistake(f.name, str(value), f"{least} to {most}")
        if "low" in values and values["low"] > values["high"]:
            yield Mistake("low", str(values["low"]), f"at most high = {values['high']}")


@dataclass(frozen=True, slots=True)
class Constant(_Checked):
    """Always ``value``."""

    value: int = _amount()

    def at(self, share: float) -> int:
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform(_Checked):
    """Each whole number from ``low`` to ``high`` is as likely as the others."""

    low: int = _amount()
    high: int = _amount()

    def at(self, share: float) -> int:
        with localcontext(EXACTLY):
            return self.low + int(Decimal(share) * (self.high - self.low + 1))


@dataclass(frozen=True, slots=True)
class Exponential(_Checked):
    """Density falling by a factor e every ``mean``."""

    mean: int = _amount()
    most: int | None = _amount(None)

    def at(self, share: float) -> int:
        with localcontext(EXACTLY):
            return _whole(-self.mean * logarithm(1 - share), self.most)


@dataclass(frozen=True, slots=True)
class LogNormal(_Checked):
    """The logarithm is normal with deviation ``sigma``; ``mean`` is that of the values themselves."""

    mean: int = _amount()
    sigma: float = _number(0, 10)
    most: int | None = _amount(None)

    def at(self, share: float) -> int:
        with localcontext(EXACTLY):
            sigma = Decimal(self.sigma)
            return _whole(self.mean * exponential(sigma * Decimal(normal(share)) - sigma * sigma / 2), self.most)


@dataclass(frozen=True, slots=True)
class Pareto(_Checked):
    """At least ``least``; P(more than x) = (least / x) to the power of ``alpha``."""

    least: int = _amount()
    alpha: float = _number(0.01, 100)
    most: int | None = _amount(None)

    def at(self, share: float) -> int:
        with localcontext(EXACTLY):
            return _whole(self.least * exponential(-logarithm(1 - share) / Decimal(self.alpha)), self.most)


@dataclass(frozen=True, slots=True)
class Bimodal(_Checked):
    """``share`` of the draws have the median ``high``, the others ``low``; log-normal with deviation ``spread``."""

    low: int = _amount()
    high: int = _amount()
    share: float = _number(0, 1)
    spread: float = _number(0, 10, 0.2)
    most: int | None = _amount(None)

    def at(self, share: float) -> int:
        below = 1 - self.share
        median, rest = (self.low, share / below) if share < below else (self.high, (share - below) / self.share)
        rest = min(max(rest, 2.0**-54), 1 - 2.0**-53)
        with localcontext(EXACTLY):
            return _whole(median * exponential(Decimal(self.spread) * Decimal(normal(rest))), self.most)


DISTRIBUTIONS: Mapping[str, type[Constant | Uniform | Exponential | LogNormal | Pareto | Bimodal]] = {
    "constant": Constant,
    "uniform": Uniform,
    "exponential": Exponential,
    "lognormal": LogNormal,
    "pareto": Pareto,
    "bimodal": Bimodal,
}
"""Every distribution, by the name that text gives it."""


def distribution(text: str, amounts: Amounts, origin: str = "distribution") -> Distribution:
    """The distribution that ``text`` names; ``InputError`` with every mistake of the text.

    >>> from catalytic.solver.units import parse_size
    >>> distribution("lognormal:mean=10MB,sigma=0.5", parse_size)
    LogNormal(mean=10000000, sigma=0.5, most=None)
    >>> distribution("1MB..20MB", parse_size), distribution("4096", parse_size)
    (Uniform(low=1000000, high=20000000), Constant(value=4096))
    """
    name, colon, rest = text.strip().partition(":")
    if not colon and name not in DISTRIBUTIONS:
        low, dots, high = name.partition("..")
        name, rest = ("uniform", f"low={low},high={high}") if dots else ("constant", f"value={name}")
    if name not in DISTRIBUTIONS:
        hint = did_you_mean(name, DISTRIBUTIONS)
        raise InputError(origin, [Mistake("name", repr(name), f"one of {', '.join(DISTRIBUTIONS)}", hint)])
    kind = DISTRIBUTIONS[name]
    values, mistakes = _parameters(name, rest, amounts)
    if mistakes:
        raise InputError(origin, mistakes)
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(origin, [Mistake(f"{name}.{m.path}", m.found, m.allowed) for m in error.mistakes]) from None


def _parameters(name: str, text: str, amounts: Amounts) -> tuple[dict[str, Any], list[Mistake]]:
    known = {f.name: f for f in fields(DISTRIBUTIONS[name])}
    values: dict[str, Any] = {}
    mistakes = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (word.strip() for word in pair.partition("="))
        path = f"{name}.{key}"
        if key not in known or not equals:
            mistakes.append(Mistake(path, repr(pair), f"one of {_form(known)}", did_you_mean(key, known)))
            continue
        if key in values:
            mistakes.append(Mistake(path, "the parameter more than once", "each parameter once"))
        try:
            values[key] = amounts(value) if known[key].metadata["amount"] else _plain(value)
        except ValueError as error:
            values[key] = None
            mistakes.append(Mistake(path, repr(value), str(error).partition("allowed ")[2] or str(error)))
    for key, f in known.items():
        if key not in values and f.default is MISSING:
            mistakes.append(Mistake(f"{name}.{key}", "nothing", "a value: the parameter is required"))
    return values, mistakes


def _form(known: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}=" for key in known)


def _plain(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"found {text!r}, allowed a number") from None


def _whole(value: Decimal, most: int | None) -> int:
    """``value`` rounded to the nearest whole number within 1 and ``most``."""
    limit = MAX_BYTES if most is None else most
    return max(1, min(limit, round(value)))


def normal(share: float) -> float:
    """The quantile of the standard normal distribution, to seven digits.

    >>> round(normal(0.975), 6), normal(0.5), round(normal(1e-9), 5)
    (1.959964, 0.0, -5.99781)

    Algorithm AS 241 (PPND7) of Wichura (Applied Statistics 37, 1988). Sums, products, quotients and square roots of
    floating-point numbers are the same on every machine; the logarithm is ``decimal``'s.
    """
    q = share - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        return q * above / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1)
    r = sqrt(-logarithm(min(share, 1 - share)))
    if r <= 5:
        r -= 1.6
        above = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        value = above / ((0.12021132975 * r + 0.73700164250) * r + 1)
    else:
        r -= 5
        above = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        value = above / ((0.012258202635 * r + 0.24197894225) * r + 1)
    return value if q > 0 else -value
