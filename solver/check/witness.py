"""What every certificate is read with: a witness proves a value without search, or raises :class:`Unproved`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .facts import Facts


class Unproved(Exception):
    """The witness does not show what it should."""


def names_of(witness: Mapping[str, object], key: str) -> list[str]:
    """The list of distinct names that stands under ``key``."""
    names = witness[key]
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names) or len(set(names)) != len(names):
        raise Unproved(f"{key!r} is not a list of distinct names")
    return names


def after_of(facts: Facts) -> dict[str, set[str]]:
    """Task -> tasks that wait for it."""
    after: dict[str, set[str]] = {t: set() for t in facts.before}
    for t, before in facts.before.items():
        for b in before:
            after[b].add(t)
    return after


def topological(facts: Facts) -> Iterator[str]:
    """Every task after all it waits for."""
    missing = {t: len(before) for t, before in facts.before.items()}
    after = after_of(facts)
    free = sorted(t for t, count in missing.items() if count == 0)
    while free:
        t = free.pop()
        yield t
        for s in sorted(after[t]):
            missing[s] -= 1
            if missing[s] == 0:
                free.append(s)
