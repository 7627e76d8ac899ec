"""Runs as text: what would happen, and what happened."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from catalytic.runtime.report import RunReport, RunStatus
from catalytic.solver.units import format_size

from ..resume import ResumeAnswer
from ..run import DryRun, RunAnswer
from .headline import headline
from .plan import brief
from .words import percent, plural, seconds

NAMES_SHOWN = 8
"""Names listed in one line; the rest are counted."""


def finished(answer: RunAnswer) -> str:
    """Report of a run over the headline of its plan; a run without reuse is its own reference and has no headline."""
    plan = answer.summary
    worth = headline(plan)
    if answer.temporary:
        worth = f"none; each of {plural(plan.buffers, 'buffer')} had bytes of its own"
    fate = " (temporary, removed)" if answer.temporary else " (created)" if answer.created else ""
    return "\n".join(
        [
            report_lines(answer.report),
            f"exports: {answer.output_dir if answer.report.exports else 'none'}; workspace: {answer.workspace}{fate}",
            f"plan: {worth}",
            *([] if answer.temporary else _log(answer.report, answer.workspace)),
            *([] if answer.temporary else _next_step(answer.report, answer.workspace)),
        ]
    )


def resumed(answer: ResumeAnswer) -> str:
    """Report of what was left of a run, and what to do if some of it still is."""
    files = [Path(file).parent for file in answer.report.exports]
    return "\n".join(
        [
            report_lines(answer.report),
            *([f"exports: {os.path.commonpath(files)}"] if files else []),
            *_log(answer.report, answer.workspace),
            *_next_step(answer.report, answer.workspace),
        ]
    )


def report_lines(report: RunReport) -> str:
    """The state and cost of a run, then every failure with its next step."""
    # Each task is measured once; other executions are loads of external inputs, and second ones after damage.
    tasks = len(report.measured)
    others = report.executed - tasks
    done = f"{plural(tasks, 'task')} executed"
    if others:
        done += f", {plural(others, 'further execution' if report.repaired else 'input')}"
        done += " (inputs loaded, damage repaired)" if report.repaired else " loaded"
    if report.already_done:
        done += f", {plural(report.already_done, 'execution')} already done"
    if report.repaired:
        done += f", {len(report.repaired)} repaired"
    integrity = report.seal_s + report.verify_s
    overhead = f" ({percent(integrity / report.task_s)} of task time)" if report.task_s > 0 else ""
    lines = [
        f"{report.status.value.upper()}: {done} in {seconds(report.wall_s)} (run {report.run_id})",
        f"bytes: {format_size(report.bytes_written)} written, regions took over {format_size(report.bytes_reused)} "
        f"from earlier ones, {format_size(report.bytes_exported)} exported, {format_size(report.bytes_staged)} staged",
        f"integrity: {format_size(report.bytes_sealed)} sealed in {seconds(report.seal_s)}, "
        f"{plural(report.verifications, 'verification')} in {seconds(report.verify_s)}{overhead}",
    ]
    for failure in report.failures:
        lines.append(f"failed: {failure.task}: {failure.kind}: {failure.message}")
        if failure.next_step:
            lines.append(f"  try: {failure.next_step}")
    if report.blocked:
        lines.append(f"not run: {_some(report.blocked)}")
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join(lines)


def report_style(report: RunReport) -> str:
    """Green for a complete run, red for anything else."""
    return "bold green" if report.status is RunStatus.COMPLETE else "bold red"


def rehearsal(answer: DryRun) -> str:
    """What a run would do, in the order in which it would."""
    plan = answer.summary
    lines = [f"would run {plural(plan.tasks, 'task')}, {seconds(plan.makespan_s)} by the plan; nothing was written"]
    if answer.creates:
        room = "enough" if answer.bytes_free >= answer.bytes_needed else "NOT ENOUGH"
        lines.append(
            f"create: {answer.workspace}, {format_size(answer.bytes_needed)} "
            f"({format_size(answer.bytes_free)} free: {room})"
        )
    else:
        lines.append(f"use: {answer.workspace}")
    lines.append(f"export: {plural(len(answer.exports), 'file')} to {answer.output_dir}: {_some(answer.exports)}")
    if answer.replaced:
        lines.append(f"exist already (refused without --force): {_some(answer.replaced)}")
    return "\n".join([*lines, brief(plan)])


def _log(report: RunReport, workspace: Path) -> list[str]:
    """Where a failed task's own words are; the report has one line of them."""
    printed = workspace / "logs" / f"{report.run_id}.out"
    return [f"output of tasks, with tracebacks: {printed}"] if report.failures and printed.is_file() else []


def _next_step(report: RunReport, workspace: Path) -> list[str]:
    if report.status not in (RunStatus.INTERRUPTED, RunStatus.CANCELLED):
        return []
    return [f"next: {resume_command(workspace)}"]


def resume_command(workspace: Path) -> str:
    """The command line that continues the run of ``workspace``."""
    return shlex.join(["catalytic", "resume", str(workspace)])


def _some(names: tuple[str, ...]) -> str:
    rest = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + rest if names else "none"
