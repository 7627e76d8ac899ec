"""The kind of a file is told by its content."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import FOREIGN, detect, dump_plan, dump_problem, dump_strategy
from catalytic.solver.plan import Move, Step, Strategy
from tests.builders import chain, random_plan

FILES = {
    "problem": dump_problem(chain(1)),
    "plan": dump_plan(random_plan(Random(1))),
    "strategy": dump_strategy(Strategy(chain(1), (Step(Move.COMPUTE, "t1"),))),
    "timeline": json.dumps({"pebbling_strategy": {}, "allocation_timeline": []}).encode(),
    "task-master": json.dumps({"next": {"tasks": [{"id": 1, "dependencies": []}]}}).encode(),
    "durations": json.dumps({"tests/test_a.py::test_b": 0.5}).encode(),
    "graphml": b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -- graph -->\n<graphml xmlns='http://graphml'/>",
    "junit": b"<testsuite/>",
    "ninja": b"# ninja log v5\n",
    "nextflow": b"task_id\thash\tname\tstatus\n",
    "snakemake": b"digraph snakemake_dag {\n}\n",
    "dot": b'/* a */ // b\n# c\nstrict DiGraph "x y" {}',
    "github-actions": b"name: a\non: push\njobs:\n  a: {}\n",
    "node-link": json.dumps({"nodes": [{"id": 1}], "edges": []}).encode(),
    "minimalloc": b"\xef\xbb\xbf\n size ,begin,end, buffer\n4,0,1,a\n",
    "psplib": b"jobs (incl. supersource/sink ):  3\nPRECEDENCE RELATIONS:\n",
    "hyperdag": b"%% a comment\n\n0 1 0 and more\n0 1\n",
    # A version (field 1, a number), a producer (field 2, text) and a graph (field 7) of three bytes.
    "onnx": bytes([0x08, 8, 0x12, 2, 0x6D, 0x65, 0x3A, 3, 0x12, 1, 0x67]),
    "wfcommons": gzip.compress(json.dumps({"schemaVersion": "1.5", "workflow": {}}).encode()),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_content_tells_the_kind_whatever_the_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(FILES[kind])

    assert detect(path) == kind


def test_a_newer_version_is_still_that_kind(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"format": "catalytic-execution/7"}')

    assert detect(path) == "plan"


def test_a_compressed_file_is_what_it_holds(tmp_path: Path) -> None:
    for kind in FOREIGN.keys() & FILES.keys() - {"wfcommons"}:
        path = tmp_path / kind
        path.write_bytes(gzip.compress(FILES[kind]))

        assert detect(path) == kind


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "[]", "{", '{"format": "zip/1"}', '{"format": {"x": 1}}', "", " ", "a,b\n1,2\n", "1 2\n3 4 5"]
)
def test_anything_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)

    with pytest.raises(InputError):
        detect(path)


@pytest.mark.parametrize("data", [b'{"a": 1}', b"some text", b"\x89PNG\r\n\x1a\n", b"\x08"])
def test_a_refusal_names_every_kind_that_is_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)

    with pytest.raises(InputError) as caught:
        detect(path)

    for kind in (
        "a problem",
        "a plan",
        "strategy",
        "a timeline",
        "WfCommons",
        "node-link",
        "ONNX",
        "HyperDAG",
        "PSPLIB",
        "MiniMalloc",
        "Task Master",
        "GraphML",
        "DOT",
        "ninja",
        "Nextflow",
        "Snakemake",
        "GitHub Actions",
        "JUnit",
    ):
        assert kind in str(caught.value)


def test_a_problem_that_says_so_is_no_node_link_graph(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text('{"format": "catalytic-problem/1", "nodes": [], "links": []}')

    assert detect(path) == "problem"


def test_a_table_with_a_misspelled_column_is_still_one_and_a_list_of_names_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("id,lower,uper,size\n")
    assert detect(path) == "minimalloc"
    path.write_text('["a", "id", "size", "b"]')
    with pytest.raises(InputError):
        detect(path)


def test_every_kind_that_can_be_told_is_tried_here() -> None:
    told = {word for word, kind in FOREIGN.items() if kind.sniffer is not None}

    assert told <= FILES.keys()


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ('[{"label": "build", "command": "make"}]', "VS Code or Zed"),
        ('[{"uuid": "0e", "description": "x"}]', "Taskwarrior"),
    ],
)
def test_a_list_of_tasks_is_refused_by_the_name_of_its_tool(text: str, whose: str, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(text)

    with pytest.raises(InputError, match=f"a list of tasks of {whose}"):
        detect(path)
