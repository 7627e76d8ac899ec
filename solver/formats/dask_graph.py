"""Graphs of Dask as problems.

A Dask graph is no file but an object: a mapping from keys to tasks, or a collection that has one (an array, a data
frame, a delayed value). So a Python file is named that makes it::

    # pipeline.py
    import dask.array as da
    x = da.ones((1000, 1000), chunks=(100, 100))
    result = (x + x.T).sum()

    catalytic import dask pipeline.py --variable result

The file is executed, with its folder first on the path, and only when the format is named: nothing that is merely
looked at is run. Without ``--variable`` the file must hold one collection, or one mapping of tasks.

A key is a task, called by its text; what its task refers to precedes it. The graph is taken as it is, before Dask fuses
tasks. Neither durations nor sizes are known.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, problem_of_jobs
from .json_text import TOP, read_bytes
from .reading import refuse

_RUN_NAME = "__catalytic_import__"


def import_dask(path: Path, *, variable: str | None = None, **gaps: Unpack[Gaps]) -> Imported:
    """The graph that the Python file ``path`` makes; ``InputError`` when it fails, or holds none or several."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    read_bytes(path)
    if find_spec("dask") is None:
        hint = "pip install 'catalytic[dask]'"
        raise InputError(origin, [Mistake(TOP, "a graph of Dask", "the package 'dask'", hint)])
    found = _executed(path)
    named = {name: value for name, value in found.items() if not name.startswith("_")}
    with _foreign_code(origin, "variables that can be looked at"):
        graphs = _graphs(named)
    if variable is not None and variable not in graphs:
        what = "no graph" if variable in named else "no such variable"
        allowed = f"one of {', '.join(graphs)}" if graphs else "a variable that holds a graph: there is none"
        mistake = Mistake("--variable", f"{variable!r}, {what}", allowed, did_you_mean(variable, graphs))
        raise InputError(origin, [mistake])
    if variable is None and len(graphs) != 1:
        listed = ", ".join(graphs) or "no graph of Dask"
        hint = "say which: --variable NAME" if graphs else ""
        raise InputError(origin, [Mistake(TOP, listed, "one collection, or one mapping of tasks", hint)])
    name = variable or next(iter(graphs))
    return problem_of_graph(graphs[name], name=name, origin=origin, **gaps)


def problem_of_graph(graph: object, *, name: str, origin: str = "graph", **gaps: Unpack[Gaps]) -> Imported:
    """The problem of a collection of Dask, or of a mapping from keys to tasks."""
    from dask.core import get_dependencies

    with _foreign_code(origin, "a graph whose tasks can be read"):
        tasks = dict(_mapping(graph))
        called = {key: str(key) for key in tasks}
        before = {key: get_dependencies(tasks, task=task) for key, task in tasks.items()}
    jobs: dict[str, Job] = {}
    mistakes = []
    for key, text in called.items():
        if text in jobs:
            mistakes.append(Mistake(f"key {key!r}", f"the text {text!r} again", "keys whose texts differ"))
        jobs[text] = Job(f"key {text!r}", after=tuple(sorted(called[k] for k in before[key])))
    refuse(origin, mistakes)
    said = ["the graph is taken as it is: Dask may fuse tasks before it runs them"]
    return problem_of_jobs(origin, name, jobs, assumptions=said, **gaps)


def _mapping(graph: object) -> Mapping[Hashable, object]:
    own = getattr(graph, "__dask_graph__", None)
    found = own() if own is not None else graph
    if not isinstance(found, Mapping):
        raise TypeError(f"the graph is {type(found).__name__}, and no mapping")
    return found


def _graphs(named: Mapping[str, object]) -> dict[str, object]:
    """Variables that hold graphs: collections where there are any, otherwise mappings of tasks."""
    from dask.base import is_dask_collection
    from dask.core import istask

    collections = {name: value for name, value in named.items() if is_dask_collection(value)}
    return collections or {
        name: value
        for name, value in named.items()
        if isinstance(value, Mapping) and any(istask(task) for task in value.values())
    }


def _executed(path: Path) -> dict[str, object]:
    """The variables of a Python file after it was run. What it prints goes to the standard error."""
    with _folder_on_path(path.parent), redirect_stdout(sys.stderr), _foreign_code(str(path), "a Python file that runs"):
        return runpy.run_path(str(path), run_name=_RUN_NAME)


@contextmanager
def _foreign_code(origin: str, allowed: str) -> Iterator[None]:
    """Whatever the code of the file ``origin`` raises is a mistake of that file; an interrupt stays one."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        try:
            found = f"{type(error).__name__}: {error}".partition("\n")[0]
        except BaseException:  # whatever writes this text is foreign too
            found = type(error).__name__
        raise InputError(origin, [Mistake(_place(error, origin), found, allowed)]) from error


def _place(error: BaseException, origin: str) -> str:
    """The last line of the file itself that the error passed, or the line of its syntax."""
    if isinstance(error, SyntaxError) and error.lineno:  # 0: of no line, such as that of an unknown encoding
        return f"line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == origin]
    return f"line {lines[-1]}" if lines else TOP


@contextmanager
def _folder_on_path(folder: Path) -> Iterator[None]:
    before = list(sys.path)
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path[:] = before  # whatever the file did to it
