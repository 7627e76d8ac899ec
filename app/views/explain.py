"""Why a reuse factor is out of reach, or the order that reaches it, as text."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..explain import ExplainAnswer, Step, Verdict
from .bound import exact, forced_section, policies, pools_section, sizes
from .evidence import SCOPE, meaning
from .lines import labelled, paragraph
from .live_chart import live_chart
from .moment import moment_table
from .table import table
from .words import bound_factor, factor, seconds

STYLES = {Verdict.POSSIBLE: "bold green", Verdict.IMPOSSIBLE: "bold red", Verdict.UNDECIDED: "bold"}
"""Colour of the first line."""


def explanation(answer: ExplainAnswer, *, width: int, order: bool = False) -> str:
    """Everything ``catalytic explain`` prints, in at most ``width`` columns (names, commands, headline may be longer).

    ``order``: also the order itself, one task per line.
    """
    sections = [f"{answer.name}: {_headline(answer)}", paragraph(f"{answer.reason}.", width=width)]
    sections.append(labelled(_facts(answer), width=width))
    if answer.verdict is not Verdict.POSSIBLE and answer.forced is not None:
        by_bound = answer.verdict is Verdict.UNDECIDED or answer.lower > answer.allowed
        claim = answer.lower if by_bound else answer.forced.bytes
        sections.append(forced_section(answer.forced, claim, width=width))
    if answer.verdict is not Verdict.IMPOSSIBLE and answer.peak_at is not None:
        sections.append(_order_section(answer, width=width))
    if len(answer.pools) > 1:
        sections.append(pools_section(answer.pools, width=width))
    if order:
        sections.append(_steps(answer.order, width=width))
    sections.append(_next_steps(answer, width=width))
    return "\n\n".join(sections)


def _headline(a: ExplainAnswer) -> str:
    asked = "the workspace" if a.target is None else f"reuse factor {a.target:g}"
    if a.verdict is Verdict.POSSIBLE:
        return f"{asked} is POSSIBLE: an order reaches it"
    if a.verdict is Verdict.IMPOSSIBLE:
        return f"{asked} is IMPOSSIBLE without recomputation or spilling"
    return f"{asked} is UNDECIDED: neither reached nor disproved in {seconds(a.seconds)}"


def _facts(a: ExplainAnswer) -> list[tuple[str, str]]:
    facts = [("policies", policies(a.inputs, a.outputs)), ("problem", sizes(a.tasks, a.buffers, a.allocated))]
    if a.external_bytes and a.inputs == "external":
        facts.append(("inputs", f"{format_size(a.external_bytes)} of external inputs stay outside and are not counted"))
    binds = "the workspace" if a.limited_by == "workspace" else f"the reuse factor {a.target:g}"
    facts.append(("allowed", f"{exact(a.allowed)}, set by {binds}"))
    if not a.allocated:
        return facts
    facts += [
        ("every order", f"needs {exact(a.lower)}: reuse factor at most {bound_factor(a.largest_reuse_factor)}"),
        ("order found", f"needs {exact(a.peak)}: reuse factor {factor(a.order_reuse_factor)}{_added(a)}"),
        ("evidence", meaning(a.bounds[0]) if a.bounds else ""),
        ("holds for", SCOPE),
        ("searched", f"{seconds(a.seconds)} of {seconds(a.time_limit_s)}"),
    ]
    return facts


def _added(a: ExplainAnswer) -> str:
    return "; the pools' own peaks added up, whose slices are disjoint" if len(a.pools) > 1 else ""


def _order_section(a: ExplainAnswer, *, width: int) -> str:
    assert a.peak_at is not None
    live = [step.live for step in a.order]
    step = next(k for k, s in enumerate(a.order, start=1) if s.task == a.peak_at.task)
    dotted = f"; dotted: the {format_size(a.allowed)} allowed" if a.allowed < max(live) else ""
    peak = (
        f"alive at the peak, step {step} of {len(live)}, while task {a.peak_at.task!r} runs: {exact(a.peak_at.bytes)}"
    )
    return "\n".join(
        [
            f"live bytes along the order found, step by step{dotted}",
            live_chart(live, a.allowed, width=width),
            "",
            paragraph(peak, width=width),
            moment_table(a.peak_at, width=width),
        ]
    )


def _steps(order: tuple[Step, ...], *, width: int) -> str:
    rows = [(step.task, str(number), format_size(step.live)) for number, step in enumerate(order, start=1)]
    return "the order\n" + table(("task", "step", "alive"), rows, width=width)


def _next_steps(a: ExplainAnswer, *, width: int) -> str:
    """What to do now; command lines stand alone on theirs, however long, so that they can be pasted."""
    if a.verdict is Verdict.POSSIBLE:
        said = (
            "This is an order of tasks run one at a time, counted in live bytes. Placing the buffers and running tasks "
            "at the same time may need more; that is what `catalytic plan` looks for:"
        )
    elif a.verdict is Verdict.UNDECIDED:
        more = "Allow more with --time-limit"
        said = f"{more}, or use what is known to work:" if a.commands else f"{more}."
    elif a.commands:
        said = "What works:"
    else:
        said = "No plan that works was found in the time left; allow more with --time-limit, or change what is asked."
    return "\n".join([paragraph(said, width=width), *(f"  {command}" for command in a.commands)])
