"""What every plan needs, as text: the figures in rows, then the moment that forces them."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..bound import BoundAnswer, PoolBound, SmallestWorkspace
from ..moment import Moment
from .evidence import SCOPE, meaning
from .lines import labelled, paragraph
from .moment import moment_table
from .table import table
from .words import bound_factor, factor, percent, plural, seconds


def bound_report(answer: BoundAnswer, *, width: int) -> str:
    """Everything ``catalytic bound`` prints, in at most ``width`` columns (names and the headline may be longer)."""
    sections = [_headline(answer), labelled(_facts(answer), width=width)]
    if answer.forced is not None:
        sections.append(forced_section(answer.forced, answer.lower, width=width))
    if len(answer.pools) > 1:
        sections.append(pools_section(answer.pools, width=width))
    return "\n\n".join(sections)


def _headline(a: BoundAnswer) -> str:
    if not a.allocated:
        return f"{a.name}: nothing is placed in the workspace, so there is nothing to bound"
    if a.proved:
        return f"{a.name}: least peak {format_size(a.peak)}, PROVED ({a.evidence})"
    return f"{a.name}: least peak from {format_size(a.lower)} to {format_size(a.peak)}, gap {percent(a.gap)}"


def _facts(a: BoundAnswer) -> list[tuple[str, str]]:
    facts = [("policies", policies(a.inputs, a.outputs)), ("problem", sizes(a.tasks, a.buffers, a.allocated))]
    if a.external_bytes and a.inputs == "external":
        facts.append(("inputs", f"{format_size(a.external_bytes)} of external inputs stay outside and are not counted"))
    if not a.allocated:
        return facts
    where = f", while task {a.peak_task!r} runs" if len(a.pools) == 1 else ", the pools' own peaks added up"
    hopeless = _limits(a.pools)
    reached = f"; the best order has {factor(a.order_reuse_factor)} before placement" if not a.proved else ""
    facts += [
        ("least peak found", f"{exact(a.peak)}{where}"),
        ("proved bound", f"{exact(a.lower)}, gap {percent(a.gap)}"),
        ("reuse factor", f"at most {bound_factor(a.largest_reuse_factor)}{reached}"),
        *(("workspace" if k == 0 else "", _workspace(w, hopeless)) for k, w in enumerate(a.workspaces)),
        ("limits", hopeless),
        ("evidence", meaning(a.bounds[0])),
        ("holds for", SCOPE),
        ("searched", f"{seconds(a.seconds)} of {seconds(a.time_limit_s)}"),
    ]
    return facts


def policies(inputs: str, outputs: str) -> str:
    """What every figure rests on."""
    return f"inputs {inputs}, outputs {outputs}; with other policies the figures are others"


def sizes(tasks: int, buffers: int, allocated: int) -> str:
    """What is to be placed."""
    return f"{plural(tasks, 'task')}, {plural(buffers, 'buffer')} of {format_size(allocated)} in all"


def exact(size: int) -> str:
    """``12MB (12009472 bytes)``."""
    return f"{format_size(size)} ({size} bytes)"


def _workspace(w: SmallestWorkspace, hopeless: str) -> str:
    reason = f" (the buffers of task {w.least_task!r} do not pack into less)" if w.least_task is not None else ""
    text = f"in {plural(w.partitions, 'partition')} none below {exact(w.least)} can work{reason}"
    if hopeless:
        return text
    if w.placed is None:
        return f"{text}; none that works was found in the time left"
    if w.placed == w.least:
        return f"{text}; a sequential plan was placed in exactly that size"
    return f"{text}; a sequential plan was placed in {exact(w.placed)}"


def _limits(pools: tuple[PoolBound, ...]) -> str:
    """Which limits of pools no workspace can help; empty when none is too small."""
    tight = [p for p in pools if p.limit is not None and p.least > p.limit]
    names = ", ".join(f"{p.pool!r} is limited to {format_size(p.limit or 0)} and needs {exact(p.least)}" for p in tight)
    return f"no size works while the problem limits its pools: {names}" if tight else ""


def forced_section(forced: Moment, lower: int, *, width: int) -> str:
    """The strongest moment that can be checked by hand, and what is alive then."""
    buffers = "these buffers are alive" if forced.certain else "at least as many bytes as these buffers have are alive"
    stronger = f" (the bound of {format_size(lower)} goes beyond what one moment shows)" if forced.bytes < lower else ""
    text = f"while task {forced.task!r} runs, {buffers} in every plan: {exact(forced.bytes)}{stronger}"
    return f"{paragraph(text, width=width)}\n{moment_table(forced, width=width)}"


def pools_section(pools: tuple[PoolBound, ...], *, width: int) -> str:
    """Each pool's own bound and its peak in the order found."""
    rows = [
        (
            p.pool,
            p.forced.task,
            str(p.buffers),
            format_size(p.allocated),
            format_size(p.limit) if p.limit is not None else "-",
            format_size(p.least),
            format_size(p.peak),
        )
        for p in pools
    ]
    header = ("pool", "forced by task", "buffers", "allocated", "limit", "at least", "in the order")
    return "pools: each by itself\n" + table(header, rows, width=width, left=2)
