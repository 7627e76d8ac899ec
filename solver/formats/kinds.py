"""The kinds of other programs' files: what each is called, how it is recognised, what reads it, what it heeds.

One row per kind, in the order in which they are asked whether a file is theirs: a kind that claims less comes first.
Functions are named, not imported, because most uses need one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .foreign import Imported

Sniffer = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. ``named``: with its article, for messages.

    ``sniffer``: ``module:function`` that tells from the bytes of a file, or from its JSON object when ``is_json``,
    whether it is of this kind; None if that cannot be told. ``reader``: ``module:function`` that makes a problem of it.
    ``heeds``: keyword arguments that it takes beside those that all readers take.
    """

    named: str
    sniffer: str | None
    reader: str
    heeds: tuple[str, ...] = ()
    is_json: bool = False

    def claims(self, content: object) -> bool:
        """Whether ``content`` (bytes, or a JSON object) looks like a file of this kind."""
        return self.sniffer is not None and bool(_function(self.sniffer)(content))

    def read(self, *arguments: object, **keywords: object) -> Imported:
        """What the reader of this kind makes of a file."""
        imported: Imported = _function(self.reader)(*arguments, **keywords)
        return imported


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(f".{module}", __package__), function)
    return found


_JOBS = ("alignment", "buffer_size", "duration")
"""What readers of graphs of jobs take (``jobs.problem_of_jobs``)."""

_ATTRIBUTED = (*_JOBS, "size_attribute", "duration_attribute")
_TOLD_IN_PARTS = (*_JOBS, "companions")

FOREIGN: Mapping[str, Kind] = {
    "wfcommons": Kind(
        "a WfCommons instance",
        "wfcommons:is_wfcommons",
        "wfcommons:import_wfcommons",
        ("scratch_from_memory",),
        is_json=True,
    ),
    "node-link": Kind(
        "a node-link graph", "node_link:is_node_link", "node_link:import_node_link", _ATTRIBUTED, is_json=True
    ),
    "task-master": Kind(
        "a tasks.json of Task Master",
        "taskmaster:is_taskmaster",
        "taskmaster:import_taskmaster",
        (*_TOLD_IN_PARTS, "tag"),
        is_json=True,
    ),
    "durations": Kind(
        "durations of tests (pytest-split)", "junit:is_durations", "junit:import_junit", _TOLD_IN_PARTS, is_json=True
    ),
    "minimalloc": Kind(
        "MiniMalloc's CSV (commas, with a header such as id,lower,upper,size)",
        "minimalloc:is_minimalloc",
        "lifetimes:import_minimalloc",
        ("alignment",),
    ),
    "onnx": Kind("an ONNX model", "onnx_file:is_onnx", "onnx_file:import_onnx", ("alignment", "dimensions")),
    "psplib": Kind("a PSPLIB project (.sm)", "psplib:is_psplib", "psplib:import_psplib", ("alignment",)),
    "hyperdag": Kind("a HyperDAG", "hyperdag:is_hyperdag", "hyperdag:import_hyperdag", ("alignment",)),
    "graphml": Kind("a GraphML graph", "graphml:is_graphml", "graphml:import_graphml", _ATTRIBUTED),
    "junit": Kind("a JUnit report", "junit:is_junit", "junit:import_junit", _TOLD_IN_PARTS),
    "ninja": Kind("a log or graph of ninja", "ninja:is_ninja", "ninja:import_ninja", _TOLD_IN_PARTS),
    "snakemake": Kind(
        "a graph of Snakemake's jobs",
        "snakemake:is_snakemake",
        "snakemake:import_snakemake",
        (*_TOLD_IN_PARTS, "scratch_from_memory"),
    ),
    "nextflow": Kind(
        "a trace or graph of Nextflow",
        "nextflow:is_nextflow",
        "nextflow:import_nextflow",
        (*_TOLD_IN_PARTS, "scratch_from_memory"),
    ),
    "dot": Kind("a graph in DOT", "dot_text:is_dot", "dot:import_dot", _ATTRIBUTED),
    "github-actions": Kind(
        "a workflow of GitHub Actions",
        "github_actions:is_github_actions",
        "github_actions:import_github_actions",
        _TOLD_IN_PARTS,
    ),
    "dask": Kind("a Python file with a graph of Dask", None, "dask_graph:import_dask", (*_JOBS, "variable")),
}
"""Word on the command line -> kind."""
