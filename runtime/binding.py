"""Before a run begins: does the plan fit the workspace, are its inputs there, and would it replace anything?

Everything that can be known to be wrong is said now, all at once, and not after hours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from catalytic.solver.errors import InputError, Mistake, Refused
from catalytic.solver.plan import Plan

from .dispatch import Dispatcher
from .report import RunOptions
from .state import RunState
from .storage import explain
from .workspace import FOLDERS, Workspace

_SHOWN = 5


def require_fit(plan: Plan, workspace: Workspace) -> None:
    """The plan's geometry is the workspace's, as far as its regions need it. Raises ``InputError``: plan again."""
    asked = plan.problem.workspace
    again = "plan again with --workspace"
    mistakes = []
    if asked.partitions != workspace.partitions:
        mistakes.append(Mistake("workspace.partitions", str(asked.partitions), str(workspace.partitions), again))
    if asked.alignment != workspace.alignment:
        mistakes.append(Mistake("workspace.alignment", str(asked.alignment), str(workspace.alignment), again))
    height = max((e.end for r in plan.regions for e in r.extents), default=0)
    if height > workspace.partition_size:
        fits = f"at most {workspace.partition_size} bytes per partition"
        mistakes.append(Mistake("regions", f"a region that ends at byte {height} of its partition", fits, again))
    spanning = [r.buffer for r in plan.regions if len(r.extents) > 1]
    if spanning and asked.partition_size != workspace.partition_size:
        found = f"partitions of {asked.partition_size} bytes, which buffer {spanning[0]!r} runs through"
        mistakes.append(Mistake("workspace.size", found, f"partitions of {workspace.partition_size} bytes", again))
    if mistakes:
        raise InputError(f"plan of {plan.problem.name!r} on {workspace.path}", mistakes)


def require_options(options: RunOptions) -> None:
    """Numbers that make sense. Raises ``InputError``."""
    mistakes = []
    if options.workers is not None and options.workers < 1:
        mistakes.append(Mistake("workers", str(options.workers), "at least 1"))
    if options.time_factor < 0:
        mistakes.append(Mistake("time_factor", str(options.time_factor), "at least 0"))
    if options.task_timeout_s is not None and options.task_timeout_s <= 0:
        mistakes.append(Mistake("task_timeout_s", str(options.task_timeout_s), "more than 0"))
    if mistakes:
        raise InputError("run", mistakes)


def require_sources(plan: Plan, dispatcher: Dispatcher, options: RunOptions) -> None:
    """Every source file exists and is no longer than its buffer. Raises ``InputError`` with all that are not."""
    mistakes = list(_source_mistakes(plan, dispatcher))
    if not options.base.is_dir():
        mistakes.append(Mistake("base", str(options.base), "an existing folder"))
    if mistakes:
        raise InputError(f"inputs of {plan.problem.name!r}", mistakes)


def _source_mistakes(plan: Plan, dispatcher: Dispatcher) -> Iterator[Mistake]:
    for b in plan.problem.buffers:
        path = dispatcher.source_path(b.id)
        if path is None:
            continue
        where = f"buffers.{b.id}.source"
        if not path.is_file():
            yield Mistake(where, f"no file at {path}", "an existing file")
        elif path.stat().st_size > b.size:
            yield Mistake(where, f"{path.stat().st_size} bytes in {path}", f"at most the declared {b.size} bytes")


def require_new_exports(plan: Plan, dispatcher: Dispatcher, ours: Collection[str], options: RunOptions) -> None:
    """No export would replace a file, unless ``force`` or one of ``ours`` (buffers this run may have exported)."""
    _require_places(plan, dispatcher, options)
    if options.force:
        return
    paths = {b: dispatcher.export_path(b) for b in plan.problem.graph.exported if b not in ours}
    existing = sorted(str(p) for p in paths.values() if p is not None and _is_there(p))
    if existing:
        more = f" and {len(existing) - _SHOWN} more" if len(existing) > _SHOWN else ""
        raise Refused(
            f"the run would replace {', '.join(existing[:_SHOWN])}{more}. "
            "Choose another --output-dir, or replace them with --force."
        )


def _require_places(plan: Plan, dispatcher: Dispatcher, options: RunOptions) -> None:
    """Every export can stand where it should, and replaces no input of this run, whatever ``force`` says."""
    exports = {b: path for b in plan.problem.graph.exported if (path := dispatcher.export_path(b)) is not None}
    sources = {path.resolve(): b.id for b in plan.problem.buffers if (path := dispatcher.source_path(b.id)) is not None}
    for buffer, path in exports.items():
        where = "Choose another --output-dir."
        if path.is_dir() and not path.is_symlink():
            raise Refused(f"{path}: {buffer!r} is exported to a file of this name, and a folder has it. {where}")
        blocked = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
        if blocked is not None:
            raise Refused(f"{blocked} is a file, and the export of {buffer!r} needs a folder there. {where}")
        if path.resolve() in sources:
            raise Refused(f"{path}: exporting {buffer!r} would replace the input {sources[path.resolve()]!r}. {where}")
    folders = [(dispatcher.workspace.path / name).resolve() for name in FOLDERS]
    if exports and any(options.output_dir.resolve().is_relative_to(folder) for folder in folders):
        raise Refused(f"{options.output_dir} is a part of the workspace. Choose another --output-dir.")


def require_writable(plan: Plan, options: RunOptions) -> None:
    """The output directory is there, or can be made, and takes files. Raises ``StorageError``."""
    if not plan.problem.graph.exported:
        return
    try:
        options.output_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.output_dir):
            pass
    except OSError as error:
        step = "Choose another --output-dir."
        raise explain(error, f"cannot write into the output directory {options.output_dir}:", next_step=step) from error


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def require_nothing_to_lose(state: RunState, kept: Collection[str], workspace: Workspace) -> None:
    """No unfinished run and no kept buffers of an earlier one. Raises ``Refused``."""
    if state.run_id is None:
        return
    if state.ended != "complete" and state.committed:
        done = f"{len(state.committed)} execution{'' if len(state.committed) == 1 else 's'} done"
        raise Refused(
            f"{workspace.path} holds the unfinished run {state.run_id} ({done}). "
            "Continue it with `catalytic resume`, or give it up with --discard."
        )
    if kept:
        names = ", ".join(sorted(kept)[:_SHOWN])
        raise Refused(f"{workspace.path} holds kept buffers of run {state.run_id}: {names}. Drop them with --discard.")
