"""No file, however damaged, gives a traceback: what cannot be read says where, and exits with 2."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.solver.formats.mutations import damaged

from .console import catalytic

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data"))

COUNT = 200
"""Damaged files of each format."""


def first_lines(name: str, count: int, end: str = "") -> Callable[[], bytes]:
    """The beginning of a real file, so that a damage hits what is read and two hundred readings take seconds."""

    def read() -> bytes:
        lines = (DATA / name).read_text().splitlines(keepends=True)
        return "".join([*lines[:count], end if len(lines) > count else ""]).encode()

    return read


def whole(name: str) -> Callable[[], bytes]:
    def read() -> bytes:
        data = (DATA / name).read_bytes()
        return gzip.decompress(data) if name.endswith(".gz") else data

    return read


def todo() -> bytes:
    """A few real tasks without their prose."""
    document = json.loads((DATA / "taskmaster/5dlabs__toolman.tasks.json").read_bytes())
    tasks = document["master"]["tasks"][:6]
    kept = ("id", "title", "status", "dependencies", "subtasks", "priority")
    for task in tasks:
        task["subtasks"] = [{k: s[k] for k in ("id", "dependencies", "status")} for s in task["subtasks"]]
    return json.dumps({"master": {"tasks": [{k: t[k] for k in kept} for t in tasks]}}).encode()


def node_link() -> bytes:
    """The first nodes of a real graph, and the edges between them."""
    path = next(p for p in sorted((DATA / "remat").rglob("*.json")) if p.stat().st_size < 10**6)
    document = json.loads(path.read_bytes())
    section = "links" if "links" in document else "edges"
    document["nodes"] = document["nodes"][:12]
    ids = {node["id"] for node in document["nodes"]}
    ends = [(edge, [edge[key] for key in ("source", "target", "0", "1") if key in edge]) for edge in document[section]]
    document[section] = [edge for edge, between in ends if ids.issuperset(between)]
    return json.dumps(document).encode()


def report() -> bytes:
    """The first test cases of a real report, a line each."""
    text = (DATA / "junit/networkx.junit.xml").read_text().replace("<testcase", "\n<testcase")
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:15], "</testsuite></testsuites>"]).encode()


def few_jobs() -> bytes:
    """The jobs of a real workflow with low numbers, and what they need of each other."""
    lines = (DATA / "snakemake/mirna.dag.dot").read_text().splitlines(keepends=True)
    kept = [line for line in lines[2:-1] if all(int(n) < 40 for n in re.findall(r"^\s*(\d+)|-> (\d+)", line)[0] if n)]
    kept = [line for line in kept if "->" not in line or int(line.split("->")[1].strip(" ;\n")) < 40]
    return "".join([*lines[:2], *kept, "}\n"]).encode()


def graphml() -> bytes:
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from((name, {"size": k, "duration": k / 2}) for k, name in enumerate("abcdef"))
    graph.add_edges_from(["ab", "ac", "bd", "cd", "de", "ef"])
    return "\n".join(networkx.generate_graphml(graph)).encode()


FORMATS: Mapping[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "wfcommons": (whole("wfcommons/helloworld-forkjoin-10-chameleon.json"), ()),
    "node-link": (node_link, ()),
    "task-master": (todo, ()),
    "durations": (lambda: json.dumps({f"a/test_b.py::test_{k}": k / 7 for k in range(9)}).encode(), ()),
    "minimalloc": (first_lines("minimalloc/A.1048576.csv", 25), ()),
    "onnx": (whole("onnx/light_squeezenet.onnx"), ()),
    "psplib": (whole("psplib/j30/j301_8.sm"), ()),
    "hyperdag": (whole("hyperdag/instance_CG_N2_K2_nzP0d75.hdag"), ()),
    "graphml": (graphml, ()),
    "junit": (report, ()),
    "ninja": (first_lines("ninja/ninja_log.v5.txt", 30), ()),
    "ninja-graph": (first_lines("ninja/graph.dot", 60, "}"), ("ninja/ninja_log.v5.txt",)),
    "nextflow": (first_lines("nextflow/chipseq.execution_trace.txt", 15), ()),
    "nextflow-graph": (first_lines("nextflow/chipseq.pipeline_dag.dot", 60, "}"), ()),
    "snakemake": (few_jobs, ()),
    "snakemake-benchmark": (whole("snakemake/benchmark_shell.benchmark.tsv"), ()),
    "task-master-report": (whole("taskmaster/5dlabs__toolman.task-complexity-report.json"), ()),
    "dot": (lambda: b'digraph g {\n node [size=3]\n a [duration=2]\n b [size="4kB", duration=1]\n a -> b\n}\n', ()),
    "github-actions": (first_lines("github-actions/attrs.ci.yml", 110), ()),
}
"""Format -> what makes a file of it, and further files given with it."""

NEEDS = {"graphml", "dot", "durations"}
"""Formats whose file is made here, not taken from real ones."""


@pytest.mark.data
@pytest.mark.parametrize("form", FORMATS)
def test_a_damaged_file_is_read_or_says_where_it_is_damaged(form: str, tmp_path: Path) -> None:
    """Refused files name a place: a line, a path, a key, or the whole file; never a traceback, always exit 2."""
    if form not in NEEDS and not DATA.exists():
        pytest.skip("no real files: set CATALYTIC_DATA")
    if form == "onnx":
        pytest.importorskip("onnx")
    content, companions = FORMATS[form]
    data = content()
    path, refused = tmp_path / "damaged", 0
    words = [word for name in companions for word in ("--with", str(DATA / name))]
    path.write_bytes(data)
    assert catalytic("import", path, "-o", tmp_path / "problem.json", *words).code == 0

    for damage, changed in damaged(data, COUNT, seed=zlib.crc32(form.encode())):
        path.write_bytes(changed)
        said = catalytic("import", path, "-o", os.devnull, "--force", *words)

        assert said.code in (0, 2), (damage, said.err)
        assert "Traceback" not in said.err
        if said.code == 2:
            refused += 1
            place = re.search(r"^(?:catalytic: .*?: |  )(\S[^\n]*?): found \S", said.err, re.MULTILINE)
            assert place is not None or "mistakes" in said.err, (damage, said.err)
    assert refused > COUNT // 10


PIPELINE = b"""from dask import delayed

def add(a, b):
    return a + b

x = delayed(add)(1, 2, dask_key_name="x")
y = delayed(add)(x, 3, dask_key_name="y")
graph = {"a": (add, 1, 2), ("b", 0): (sum, ["a", 7]), "c": (max, ("b", 0), "a")}
both = delayed(add)(y, x, dask_key_name="both")
"""


def test_a_damaged_program_that_makes_a_graph_of_dask_is_read_or_says_where_it_is_damaged(tmp_path: Path) -> None:
    pytest.importorskip("dask")
    path, refused = tmp_path / "damaged.py", 0
    words = ("import", "dask", path, "-o", os.devnull, "--force", "--variable", "both")
    path.write_bytes(PIPELINE)
    assert catalytic(*words).code == 0

    for damage, changed in damaged(PIPELINE, COUNT, seed=1):
        path.write_bytes(changed)
        said = catalytic(*words)

        assert said.code in (0, 2), (damage, said.err)
        if said.code == 2:
            refused += 1
            assert re.search(r": (line [0-9]+|\(the whole file\)|--variable|key .*): found \S", said.err), said.err
    assert refused > COUNT // 10
