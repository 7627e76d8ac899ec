"""The page: one file that needs nothing else, neither network nor fonts nor scripts from elsewhere.

What a person wants first stands in the page as text: verdict, figures, bottlenecks, pools, proof. The charts and the
long tables are drawn by the page's own script from the data in it. A content security policy with the digests of this
very style and script forbids everything else, so that even a name that slipped through would not run.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from math import isclose

from catalytic.runtime.history import Outcome
from catalytic.solver.plan import Region, ScheduledTask
from catalytic.solver.units import format_size, to_seconds

from ...report import Report, RunPart
from ...summary import BoundLine, PlanSummary
from ..evidence import ARGUMENTS, GRADES, SCOPE
from ..words import bound_factor, bound_seconds, factor, percent, plural, seconds
from .data import Numbers, columns, script_json, wall_clock
from .text import LONGEST_TITLE, html, lasting, name_html, shortened

SCRIPTS = ("base.js", "pen.js", "timeline.js", "graph.js", "tables.js", "run.js", "main.js")
"""Parts of the page's script, in this order."""
MOST_PARTITIONS = 64
"""Rows of the table of partitions; the rest are counted."""

MAKESPAN_ARGUMENTS = {
    "critical_path": "the tasks of one path run one after another, whoever runs them",
    "resource_energy": "demand times duration, over all tasks, has to fit under the capacity of one resource",
    "memory_time_energy": "sizes times least lifetimes have to fit under the bytes that the target leaves",
    "cp_sat": "no schedule is shorter",
}
"""What each method shows about the makespan, as ``ARGUMENTS`` does about bytes."""


def render(report: Report) -> bytes:
    """The page of ``report``. The same report gives the same bytes."""
    style, script = _file("page.css"), _script()
    s = report.summary
    parts = {
        "policy": _policy(style, script),
        "generator": html(f"catalytic {version('catalytic')}"),
        "title": html(f"{shortened(s.name, LONGEST_TITLE)}: report"),
        "style": style,
        "name": html(shortened(s.name, LONGEST_TITLE)),
        "name_html": name_html(s.name, LONGEST_TITLE),
        "nav": _navigation(report),
        "verdict": _verdict(s),
        "tiles": _tiles(report),
        "facts": _facts(report),
        "notes": _notes(report),
        "run": _run(report.run, s) if report.run is not None else "",
        "bottlenecks": _bottlenecks(report),
        "memory": _pools(s) + _partitions(s),
        "proof": _proof(s),
        "footer": _footer(report),
        "data": script_json(columns(report)),
        "script": script,
    }
    # Split once and never filled again: a name that looks like a placeholder stays a name.
    pieces = re.split(r"\{\{(\w+)\}\}", _file("page.html"))
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces)).encode("utf-8")


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    return "\n".join(['"use strict";', "(() => {", *(_file(name) for name in SCRIPTS), "})();", ""])


def _policy(style: str, script: str) -> str:
    """Nothing is fetched and nothing runs but what has these digests; pictures are made in the page itself."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")


def _navigation(report: Report) -> str:
    sections = ["summary", "timeline", "graph", *(["run"] if report.run is not None else [])]
    sections += ["bottlenecks", "memory", "proof", "tables"]
    return "".join(f'<a href="#{name}">{name.capitalize()}</a>' for name in sections)


# -- the summary ------------------------------------------------------------------------------------------------------


def _verdict(s: PlanSummary) -> str:
    """Status, what was asked, and the gap: the headline of ``show`` as a sentence."""
    status = s.status if s.target_met else "TARGET MISSED"
    mood = "bad" if not s.target_met else "good" if s.status == "OPTIMAL" else "plain"
    asked = f"reuse factor at least {s.target:g}" if s.target is not None else ""
    if s.objective == "makespan":
        goal = f"least makespan{f' with {asked}' if asked else ''}"
    else:
        goal = f"largest reuse factor{f', {asked}' if asked else ''}"
    known = s.reuse_evidence is not None or s.makespan_evidence is not None
    words = [f'<strong class="badge {mood}">{html(status)}</strong> for the {html(goal)}']
    words.append(f"gap {percent(s.gap)}" if known else "gap unknown")
    if s.seconds is not None:
        words.append(f"planned in {seconds(s.seconds)}")
    if not s.integrity:
        words.append('<strong class="badge bad">NO SEALS</strong>')
    return '<span class="dot"></span>'.join(words)


def _tiles(report: Report) -> str:
    s = report.summary
    tiles = [_reuse_tile(s), _makespan_tile(s), _memory_tile(report)]
    if report.run is not None:
        tiles.append(_run_tile(report.run, s))
    return "".join(tiles)


def _reuse_tile(s: PlanSummary) -> str:
    if s.reuse_factor is None:
        return _tile("Reuse factor", factor(None), "nothing is placed in the workspace", "")
    most = s.largest_reuse_factor
    equal = most is not None and isclose(s.reuse_factor, most)
    return _tile(
        "Reuse factor",
        factor(s.reuse_factor),
        _graded("= bound" if equal else f"at most {bound_factor(most)}", s.reuse_evidence),
        f"{format_size(s.footprint)} hold {format_size(s.allocated)} of buffers",
        _meter(s.reuse_factor, most),
    )


def _makespan_tile(s: PlanSummary) -> str:
    equal = s.makespan_s == s.least_makespan_s
    bound = "= bound" if equal else f"at least {bound_seconds(s.least_makespan_s)}"
    share = s.least_makespan_s / s.makespan_s if s.makespan_s else 0
    detail = [lasting(s.makespan_s), f"{plural(s.tasks, 'task')} on {plural(s.workers, 'worker')}"]
    return _tile(
        "Makespan",
        seconds(s.makespan_s),
        _graded(bound, s.makespan_evidence),
        ", ".join(part for part in detail if part),
        _meter(1.0 if s.makespan_s else 0.0, share),
    )


def _memory_tile(report: Report) -> str:
    s = report.summary
    room = "capacity" if report.ceiling == report.capacity else "the ceiling that the target leaves"
    return _tile(
        "Footprint",
        format_size(s.footprint),
        f"of {format_size(report.ceiling)}, {room}",
        f"at most {format_size(s.peak_live)} alive at once; {format_size(report.capacity)} in "
        f"{plural(s.partition_count, 'partition')}",
        _meter(
            s.footprint / report.ceiling if report.ceiling else 0, s.peak_live / report.ceiling if report.ceiling else 0
        ),
    )


def _run_tile(run: RunPart, s: PlanSummary) -> str:
    history = run.history
    took = history.length / 1000
    done = sum(t in history.committed for t in run.expected)
    return _tile(
        "Run",
        history.status.upper(),
        f"{seconds(took)} by the clock of the run",
        f"{done} of {plural(len(run.expected), 'task')} done; run {html(history.run_id)}",
        _meter(done / len(run.expected) if run.expected else 1, None),
    )


def _tile(label: str, value: str, bound: str, detail: str, meter: str = "") -> str:
    return (
        f'<div class="tile"><div class="label">{label}</div><div class="value">{html(value)}</div>'
        f'{meter}<div class="bound">{bound}</div><div class="detail">{detail}</div></div>'
    )


def _graded(bound: str, evidence: str | None) -> str:
    if evidence is None:
        return "no bound"
    return f'{html(bound)} <abbr title="{html(GRADES.get(evidence, ""))}">{html(evidence)}</abbr>'


def _meter(share: float, mark: float | None) -> str:
    """A bar that is full at 1; a mark where the bound is. It repeats what is written beside it."""
    line = f'<path class="mark" d="M{1000 * min(1.0, mark):.0f} 0v12"/>' if mark is not None else ""
    return (
        '<svg class="meter" viewBox="-4 0 1008 12" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" y="3" width="1000" height="6"/>'
        f'<rect class="fill" y="3" width="{1000 * max(0.0, min(1.0, share)):.0f}" height="6"/>{line}</svg>'
    )


def _facts(report: Report) -> str:
    s = report.summary
    external = f" ({format_size(s.external_bytes)} stay outside)" if s.inputs == "external" and s.external_bytes else ""
    facts = [
        ("Inputs", f"{s.inputs}{external}"),
        ("Unread outputs", s.outputs),
        ("Isolation", f"{s.isolation}, {'sealed' if s.integrity else 'NO SEALS: damage would go unnoticed'}"),
        ("Buffers", f"{s.buffers:,}, {format_size(s.allocated)} allocated"),
        ("Reuse", plural(s.reuse_edges, "edge")),
        ("Workspace", f"{format_size(s.workspace_size)}, {s.partition_count} x {format_size(s.partition_size)}"),
        ("Alignment", f"{s.alignment} bytes"),
        ("Ceiling", format_size(report.ceiling) if report.ceiling != report.capacity else "the capacity"),
        ("Critical chain", f"{plural(len(report.criticality.chain), 'task')}"),
    ]
    if s.monitoring:
        facts.append(("Monitoring", "on"))
    return "".join(f"<div><dt>{name}</dt><dd>{html(value)}</dd></div>" for name, value in facts)


def _notes(report: Report) -> str:
    """What would mislead if it went unsaid."""
    notes = []
    if report.run is not None and report.run.history.status not in ("complete", "running"):
        notes.append(f"The run is {report.run.history.status}: what it did not reach has no actual times.")
    return "".join(f'<p class="warning">{html(note)}</p>' for note in notes)


# -- tables -----------------------------------------------------------------------------------------------------------


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A table whose cells are HTML already; the first ``left`` columns are text, the others figures."""
    kinds = ["" if k < left else ' class="n"' for k in range(len(header))]
    head = "".join(f'<th scope="col"{kind}>{title}</th>' for title, kind in zip(header, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _pick(kind: str, number: int, name: str) -> str:
    """A name that selects its task or buffer in every view."""
    title = html(shortened(name, LONGEST_TITLE))
    return f'<button type="button" class="pick" data-{kind}="{number}" title="{title}">{name_html(name)}</button>'


def _bottlenecks(report: Report) -> str:
    found, numbers = report.bottlenecks, Numbers(report.plan)

    def task(t: ScheduledTask) -> str:
        return _pick("task", numbers.task[t.id], t.id)

    def buffer(r: Region) -> str:
        return _pick("buffer", numbers.buffer[r.buffer], r.buffer)

    makespan = report.plan.measures.makespan
    longest = [
        (task(t), _span(t.end - t.start), percent((t.end - t.start) / makespan), _span(report.criticality.slack[t.id]))
        for t in found.tasks
    ]
    largest = [
        (buffer(r), format_size(r.length), _span(r.lifetime.death - r.lifetime.birth), _places(r))
        for r in found.buffers
    ]
    moments = [
        (
            f"{_span(m.stretch.begin)} to {_span(m.stretch.end)}",
            _names(map(task, m.tasks), m.running),
            _names(map(buffer, m.buffers), m.alive),
            format_size(m.stretch.live),
        )
        for m in found.moments
    ]
    return (
        '<div class="columns">'
        + _table("Longest tasks", ("task", "takes", "of makespan", "slack"), longest)
        + _table("Largest buffers", ("buffer", "size", "lives", "in"), largest)
        + "</div>"
        + _table("Fullest moments", ("from, to", "running", "largest alive", "alive"), moments, left=3)
    )


def _span(ticks: int) -> str:
    return seconds(to_seconds(ticks))


def _places(region: Region) -> str:
    return ", ".join(f"p{e.partition}" for e in region.extents)


def _names(shown: Iterable[str], count: int) -> str:
    names = list(shown)
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return ", ".join(names) + more if names else "none"


def _pools(s: PlanSummary) -> str:
    if not s.pools:
        return "<p>Nothing is placed in the workspace.</p>"
    rows = [
        (
            f'<span class="swatch" data-pool="{k}"></span>{name_html(p.pool)}',
            html(p.data_type or "any"),
            html(p.access or "any"),
            f"{p.buffers:,}",
            format_size(p.allocated),
            format_size(p.slices),
            factor(p.reuse_factor),
        )
        for k, p in enumerate(s.pools)
    ]
    header = ("pool", "data type", "access", "buffers", "allocated", "slices", "reuse factor")
    return _table("Pools", header, rows, left=3)


def _partitions(s: PlanSummary) -> str:
    used = [p for p in s.partitions if p.height]
    rows = [
        (
            f"p{p.partition}",
            f"{format_size(p.height)} {_meter(p.height / p.size if p.size else 0, None)}",
            format_size(p.size),
            f"{p.regions:,}",
            f"{p.writers:,}",
            seconds(p.busy_s),
        )
        for p in used[:MOST_PARTITIONS]
    ]
    unused, left_out = len(s.partitions) - len(used), len(used) - len(rows)
    said = [f"{plural(left_out, 'further partition')} in use"] if left_out else []
    said += [f"{plural(unused, 'partition')} unused"] if unused else []
    caption = "Partitions" + (f" ({', '.join(said)})" if said else "")
    return _table(caption, ("partition", "used", "size", "regions", "writers", "written during"), rows) if rows else ""


def _proof(s: PlanSummary) -> str:
    rows = [
        (
            {"peak_live": "bytes alive", "footprint": "footprint", "makespan": "makespan"}.get(b.quantity, b.quantity),
            bound_seconds(b.value) if b.quantity == "makespan" else format_size(int(b.value)),
            f'<span class="grade">{html(b.evidence)}</span>',
            _argument(b),
        )
        for b in s.bounds
    ]
    grades = "".join(
        f"<div><dt>{html(grade)}</dt><dd>{html(meaning)}.</dd></div>"
        for grade, meaning in GRADES.items()
        if any(b.evidence == grade for b in s.bounds)
    )
    table = _table("What no plan can beat", ("quantity", "at least", "evidence", "argument"), rows, left=4)
    scope = f"<p>The bounds on bytes hold for {html(SCOPE)}.</p>"
    return (table if rows else "<p>No bound is known.</p>") + f'<dl class="facts wide">{grades}</dl>' + scope


def _argument(bound: BoundLine) -> str:
    known = MAKESPAN_ARGUMENTS if bound.quantity == "makespan" else ARGUMENTS
    argument = known.get(bound.method)
    return f"<code>{html(bound.method)}</code>" + (f": {html(argument)}" if argument else "")


# -- the run ----------------------------------------------------------------------------------------------------------


def _run(run: RunPart, s: PlanSummary) -> str:
    history = run.history
    committed = [a for a in history.attempts if a.outcome in (Outcome.COMMITTED, Outcome.REPAIRED)]
    known = [a for a in committed if a.seal_s is not None and a.verify_s is not None]
    task_s = sum(a.task_s or 0 for a in committed)
    sealing, verifying = sum(a.seal_s or 0 for a in known), sum(a.verify_s or 0 for a in known)
    share = f" ({percent((sealing + verifying) / task_s)} of task time)" if task_s else ""
    integrity = f"{seconds(sealing)} sealing, {seconds(verifying)} verifying{share}"
    count = {o: sum(a.outcome is o for a in history.attempts) for o in Outcome}
    damaged = sum(i.kind == "damaged" for i in history.incidents)
    facts = [
        ("Run", f"{history.run_id}, {history.status}, in {run.workspace}"),
        ("Began", f"{wall_clock(history.incidents[0].wall)} UTC" if history.incidents else ""),
        ("Time", f"{seconds(history.length / 1000)}, {seconds(s.makespan_s)} by the plan{_time_factor(run)}"),
        ("Task time", seconds(task_s)),
        ("Integrity", integrity if known else "not measured"),
        ("Bytes", f"{format_size(sum(a.written for a in committed))} written, "
                  f"{format_size(sum(a.sealed for a in committed))} sealed"),
        ("Attempts", ", ".join(f"{n:,} {o.value}" for o, n in count.items() if n)),
        ("Damage", f"{plural(damaged, 'chunk')} found, {plural(count[Outcome.REPAIRED], 'repair')}"),
        ("Resumed", f"{plural(len(history.resumed), 'time')}" if history.resumed else ""),
    ]  # fmt: skip
    listed = "".join(f"<div><dt>{name}</dt><dd>{html(value)}</dd></div>" for name, value in facts if value)
    failures = [(name_html(task), html(message)) for task, message in sorted(history.failed.items())]
    return (
        '<section id="run" aria-labelledby="run-title"><div class="head"><h2 id="run-title">Run</h2>'
        '<div class="tools" role="toolbar" aria-label="Run">'
        '<label>Time <select id="run-time"><option value="fit">plan and run to the same width</option>'
        '<option value="clock">one clock for both</option></select></label>'
        '<span class="group"><button id="run-svg" type="button" title="Save what is shown as SVG">SVG</button>'
        '<button id="run-png" type="button" title="Save what is shown as PNG">PNG</button></span></div></div>'
        f'<dl class="facts">{listed}</dl>'
        '<div class="panel" id="run-panel"></div>'
        + (_table("Failed tasks", ("task", "why"), failures, left=2) if failures else "")
        + '<div class="panel" id="run-tables"></div></section>'
    )


def _time_factor(run: RunPart) -> str:
    value = run.history.request.get("time_factor", 1.0)
    return f", synthetic tasks at {value:g} of their time" if isinstance(value, (int, float)) and value != 1 else ""


def _footer(report: Report) -> str:
    return (
        f"catalytic {html(version('catalytic'))}. Plan sha256:{report.digest}. The figures are the plan's own; "
        "<code>catalytic check PLAN</code> verifies them. Sizes in decimal units (GB = 10<sup>9</sup> bytes)."
    )
