"""What happened in a run, told from its journal: every attempt with its moments, and whatever went wrong.

The journal is the truth; the log (``logs/RUN.jsonl``) only adds what sealing and verifying took. A workspace remembers
the runs before the last one too: their records stand in the same journal, or, once ``gc`` has put it away, in
``logs/RUN.journal.db``.

Moments are milliseconds of the run's own clock. It begins with the run and stands still while nobody works on it,
between the end of one process and the resume by the next; the wall clock is kept beside it, for display.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from .journal import Kind, Record, read_all
from .locks import owner_pid
from .state import RETURNED, RunState, fold
from .workspace import Workspace

LOG_SUFFIX = ".jsonl"
"""Ends the name of a run's log; what stands before it is the run's id."""


class Outcome(StrEnum):
    """What an attempt came to. RETURNED: it was stopped, lost or met damage, and its execution is tried again."""

    COMMITTED = "committed"
    REPAIRED = "repaired"
    RETURNED = "returned"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an execution.

    ``ended`` None: the journal knows of no end. ``task_s``: what the task itself took; ``seal_s``, ``verify_s``: what
    integrity cost beside it (None: not known). ``written``: committed bytes, ``sealed`` those that have a digest.
    """

    execution: str
    epoch: int
    began: int
    ended: int | None
    outcome: Outcome
    task_s: float | None = None
    seal_s: float | None = None
    verify_s: float | None = None
    written: int = 0
    sealed: int = 0
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something worth telling: what happened to ``subject`` (an execution, a buffer or the run), and how."""

    at: int
    wall: float
    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class FinalOutput:
    """A committed buffer that outlives the run: length, sha256 of its content, and the file it was copied to."""

    buffer: str
    length: int
    content: str
    exported: str | None


@dataclass(frozen=True, slots=True)
class RunHistory:
    """One run from its first record to its last, in the order of the journal.

    ``status``: as ``StatusReport.run_state`` spells it. ``plan_digest``: of the plan file it began with. ``request``:
    what it was asked. ``resumed``: moments at which another process took over. ``length``: the last moment.
    """

    run_id: str
    status: str
    plan_digest: str | None
    request: Mapping[str, Any]
    length: int
    resumed: tuple[int, ...]
    attempts: tuple[Attempt, ...]
    incidents: tuple[Incident, ...]
    results: tuple[FinalOutput, ...]
    committed: frozenset[str]
    failed: Mapping[str, str]


def run_history(workspace: Workspace, run_id: str | None = None) -> RunHistory | None:
    """The run ``run_id`` of ``workspace``, or its last one; None when it has no such run.

    Raises ``IntegrityError`` when a journal is damaged.
    """
    in_use = workspace.metadata / "journal.db"
    for journal in (in_use, *_put_away(workspace)):
        everything = read_all(journal)
        records = _records_of(everything, run_id)
        if records:
            last = journal == in_use and records[-1] is everything[-1]
            history = _told(records, running=last and owner_pid(workspace.metadata) is not None)
            costs = _costs(workspace.path / "logs" / f"{history.run_id}{LOG_SUFFIX}")
            return replace(history, attempts=tuple(_with_costs(a, costs) for a in history.attempts))
    return None


def _put_away(workspace: Workspace) -> list[Path]:
    """Journals that ``gc`` has put among the logs, the youngest first."""
    journals = (workspace.path / "logs").glob("*.journal.db")
    return sorted(journals, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def _records_of(records: Sequence[Record], run_id: str | None) -> list[Record]:
    """Records of one run, from its RUN record up to the next one; the last run when ``run_id`` is None."""
    begins = [k for k, r in enumerate(records) if r.kind is Kind.RUN and run_id in (None, r.subject)]
    if not begins:
        return []
    first = begins[-1]
    end = next((k for k in range(first + 1, len(records)) if records[k].kind is Kind.RUN), len(records))
    return list(records[first:end])


def _told(records: Sequence[Record], *, running: bool) -> RunHistory:
    state = fold(records)
    assert state.run_id is not None
    moments = list(_clock(records))
    attempts: dict[int, Attempt] = {}
    incidents: list[Incident] = []
    for record, at in zip(records, moments, strict=True):
        body: Any = record.body
        if record.kind is Kind.BEGIN:
            attempts[record.number] = Attempt(record.subject, record.number, at, None, Outcome.OPEN)
        elif record.kind is Kind.COMMIT:
            attempts[body["epoch"]] = _committed(attempts[body["epoch"]], body, at)
        elif record.kind is Kind.FAIL and body["epoch"] in attempts:
            outcome = Outcome.RETURNED if body["kind"] == RETURNED else Outcome.FAILED
            attempts[body["epoch"]] = replace(
                attempts[body["epoch"]], ended=at, outcome=outcome, message=str(body["message"])
            )
        incidents += [Incident(at, record.at, kind, record.subject, text) for kind, text in _incident(record)]
    digest = state.request.get("plan")
    return RunHistory(
        run_id=state.run_id,
        status="running" if running else state.ended or "interrupted",
        plan_digest=digest if isinstance(digest, str) else None,
        request=state.request,
        length=max(moments),
        resumed=tuple(at for record, at in zip(records, moments, strict=True) if record.kind is Kind.RESUME),
        attempts=tuple(attempts.values()),
        incidents=tuple(incidents),
        results=_results(state),
        committed=frozenset(state.committed),
        failed=dict(state.failed),
    )


def _clock(records: Iterable[Record]) -> Iterator[int]:
    """The moment of each record on the run's own clock; never backwards, whatever the wall clock did."""
    now = 0.0
    before: Record | None = None
    for record in records:
        # What `verify` records between two processes happens while the run's own clock stands still.
        stands = record.kind is Kind.RESUME or (record.kind is Kind.DAMAGE and record.body.get("found_at") == "verify")
        if before is not None and not stands:
            now += max(0.0, record.at - before.at)
        before = record
        yield round(now * 1000)


def _committed(attempt: Attempt, body: Any, at: int) -> Attempt:
    outputs = body["outputs"].values()
    return replace(
        attempt,
        ended=at,
        outcome=Outcome.REPAIRED if body["repair"] else Outcome.COMMITTED,
        task_s=float(body["seconds"]),
        written=sum(row["length"] for row in outputs),
        sealed=sum(row["length"] for row in outputs if row["seal"] is not None),
    )


def _incident(record: Record) -> Iterator[tuple[str, str]]:
    """Kind and text of what ``record`` tells, for the records that are worth telling."""
    body: Any = record.body
    match record.kind:
        case Kind.RUN:
            yield "started", f"time factor {body['time_factor']:g}" if body.get("time_factor", 1) != 1 else ""
        case Kind.RESUME:
            yield "resumed", f"by process {body['pid']}" if "pid" in body else ""
        case Kind.FAIL:
            yield ("returned" if body["kind"] == RETURNED else "failed"), str(body["message"])
        case Kind.DAMAGE:
            where = f"chunk {body['chunk']}: expected {body['expected']}, found {body['actual']}"
            yield "damaged", f"{where} ({_NOTICED.get(str(body['found_at']), body['found_at'])})"
        case Kind.UNDO:
            yield "undone", "its result no longer stands; it runs again in its turn"
        case Kind.COMMIT if body["repair"]:
            yield "repaired", f"wrote {', '.join(body['outputs']) or 'nothing'} again"
        case Kind.END:
            yield "ended", str(body["status"])


_NOTICED = {
    "input": "noticed before a reader read it",
    "dead": "noticed before its bytes were taken over",
    "kept": "noticed at the resume",
    "scrub": "noticed while scrubbing",
    "verify": "noticed by `catalytic verify`",
}


def _results(state: RunState) -> tuple[FinalOutput, ...]:
    return tuple(
        FinalOutput(buffer, result.length, result.content, result.exported)
        for buffer, result in sorted(state.results.items())
        if result.content is not None and result.writer in state.committed
    )


def _costs(log: Path) -> dict[int, tuple[float, float]]:
    """Seconds of sealing and verifying by epoch. A log is for display: what cannot be read of it is left out."""
    costs: dict[int, tuple[float, float]] = {}
    try:
        lines = log.read_bytes().splitlines()
    except OSError:
        return costs
    for line in lines:
        try:
            event = json.loads(line)
            if event["type"] == "committed":
                epoch = int(event["correlation"].rpartition("/")[2])
                costs[epoch] = float(event["seal_s"]), float(event["verify_s"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return costs


def _with_costs(attempt: Attempt, costs: Mapping[int, tuple[float, float]]) -> Attempt:
    if attempt.epoch not in costs:
        return attempt
    seal_s, verify_s = costs[attempt.epoch]
    return replace(attempt, seal_s=seal_s, verify_s=verify_s)
