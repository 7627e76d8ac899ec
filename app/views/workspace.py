"""Workspaces as text: what was created, what happened in one, who owns it, whether it is sound."""

from __future__ import annotations

from catalytic.runtime.report import VerifyReport
from catalytic.solver.units import format_size

from ..gc import GcAnswer
from ..init import InitAnswer
from ..status import StatusAnswer
from .run import resume_command
from .table import table
from .words import plural, seconds


def created(answer: InitAnswer) -> str:
    """What ``init`` made, or found as asked."""
    seals = "sealed" if answer.integrity else "NO SEALS: damage would go unnoticed"
    done = "created" if answer.created else "exists already:"
    return (
        f"{done} {answer.path}: {format_size(answer.size)} ({answer.size} bytes) in "
        f"{plural(answer.partitions, 'partition')} of {answer.partition_size} bytes, {seals}, in "
        f"{seconds(answer.seconds)}"
    )


def status(answer: StatusAnswer, *, width: int) -> str:
    """State of a workspace; with a region asked for, a table of its owners."""
    report = answer.report
    owner = f"process {report.owner_pid} owns it now" if report.owner_pid is not None else "nobody owns it"
    lines = [
        f"{report.path}: {report.run_state}, {owner}",
        f"workspace: {format_size(report.size)} in {plural(report.partitions, 'partition')}, alignment "
        f"{report.alignment}, {'sealed' if report.integrity else 'NO SEALS'}",
    ]
    if report.run_id is not None:
        counts = ", ".join(f"{count} {state}" for state, count in report.tasks.items() if count)
        lines.append(f"last run: {report.run_id} of {report.problem}: {counts or 'no tasks'}")
    lines.append(f"living: {plural(report.living_regions, 'region')}, {format_size(report.living_bytes)}")
    if report.run_state == "interrupted":
        lines.append(f"next: {resume_command(report.path)}")
    if report.kept:
        lines.append(f"kept: {', '.join(report.kept)}")
    if answer.region is not None:
        rows = [
            (o.region, o.buffer, o.task or "-", o.state, o.since or "-", format_size(o.bytes)) for o in answer.owners
        ]
        header = ("region", "buffer", "written by", "state", "since", "bytes")
        lines += ["", f"owners of the bytes of {answer.region}, in time", table(header, rows, width=width, left=5)]
    return "\n".join(lines)


def verified(report: VerifyReport) -> str:
    """What ``verify`` found, every damaged region on a line of its own."""
    checked = (
        f"{plural(report.regions, 'sealed region')}, {format_size(report.bytes)} hashed in {seconds(report.seconds)}"
    )
    if not report.damaged:
        return f"intact: {checked}"
    lines = [f"DAMAGED: {plural(len(report.damaged), 'chunk')} of {checked}"]
    lines += [
        f"  {d.region} (buffer {d.buffer!r}), chunk {d.chunk}: expected {d.expected}, found {d.actual}"
        for d in report.damaged
    ]
    return "\n".join([*lines, "`catalytic resume` writes damaged buffers that are still needed again."])


def collected(answer: GcAnswer) -> str:
    """What ``gc`` removed."""
    done = "would remove" if answer.dry_run else "removed"
    lines = [f"{answer.workspace}: {done} {plural(len(answer.removed), 'leftover')}, {format_size(answer.bytes)}"]
    lines += [f"  {entry}" for entry in answer.removed]
    lines += [f"  forgot kept buffer {name!r}" for name in answer.forgotten]
    return "\n".join(lines)
