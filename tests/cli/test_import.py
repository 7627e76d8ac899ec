"""``catalytic import`` of other programs' files, and planning them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from .console import catalytic

HYPERDAG = "1 2 2\n0 1 3\n0 5\n1 6\n0 0\n0 1\n"
NODE_LINK = '{"nodes": [{"id": "a", "peak": 3}, {"id": "b", "peak": 4}], "links": [{"source": "a", "target": "b"}]}'


def test_assumptions_stand_beside_the_figures(tmp_path: Path) -> None:
    source = tmp_path / "graph.json"
    source.write_text(NODE_LINK)

    said = catalytic("import", source, "-o", tmp_path / "p.json", "--size-attribute", "peak", "--json")

    assert said.code == 0
    assert said.document["kind"] == "node-link"
    assert said.document["allocated"] == 7
    assert any("alignment 1" in sentence for sentence in said.document["assumptions"])


def test_the_next_step_of_an_error_works(tmp_path: Path) -> None:
    source = tmp_path / "graph.json"
    source.write_text(NODE_LINK)
    refused = catalytic("plan", source, "-o", tmp_path / "plan.json")

    assert refused.code == 2
    assert "catalytic import FILE --size-attribute NAME" in refused.err
    assert catalytic("import", source, "-o", tmp_path / "p.json", "--size-attribute", "peak").code == 0


def test_a_foreign_file_is_planned_as_it_is_with_its_assumptions_as_notes(tmp_path: Path) -> None:
    source = tmp_path / "graph.hdag"
    source.write_text(HYPERDAG)

    said = catalytic("plan", source, "-o", tmp_path / "plan.json", "--time-limit", "20")

    assert said.code == 0
    assert "OPTIMAL" in said.out
    assert "note: a unit of memory weight is 1 byte" in said.err


def test_unit_weights_run_once_they_are_whole_pages(tmp_path: Path) -> None:
    source = tmp_path / "graph.hdag"
    source.write_text(HYPERDAG)
    words = ("run", source, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out")

    refused = catalytic(*words)
    assert refused.code == 2
    assert "run it with --alignment 4096" in refused.err
    assert not (tmp_path / "w").exists()
    assert catalytic(*words, "--alignment", "4096", "--time-limit", "20").code == 0


@pytest.mark.parametrize("value", ["batch", "batch=", "=3", "batch=-1", "batch=1.5", "batch=99999999999"])
def test_a_dimension_that_is_no_binding_is_a_usage_error(value: str, tmp_path: Path) -> None:
    source = tmp_path / "graph.hdag"
    source.write_text(HYPERDAG)

    said = catalytic("import", source, "-o", tmp_path / "p.json", "--bind-dimension", value)

    assert said.code == 2
    assert "NAME=N" in said.err


def test_a_binding_may_name_a_tensor_and_be_given_twice(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    shape = ["batch", "length=odd"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "graph",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.INT8, shape)],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT8, shape)],
    )
    source = tmp_path / "model.onnx"
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    source.write_bytes(model.SerializeToString())

    words = ("--bind-dimension", "batch=3", "--bind-dimension", "length=odd=50")
    said = catalytic("import", source, "-o", tmp_path / "p.json", *words, "--json")

    assert said.code == 0
    assert said.document["external"] == 150


TRACE = "task_id\tname\tstatus\trealtime\twchar\n1\tA\tCOMPLETED\t2s\t5 KB\n2\tB\tCOMPLETED\t1s\t-\n"
GRAPH = (
    'digraph "d" {\np0 [shape=point,label="",fixedsize=true,width=0.1];\np1 [label="A"];\np2 [label="B"];\np1 -> p2;\n}'
)


def test_a_file_is_joined_with_what_else_is_known_of_its_graph(tmp_path: Path) -> None:
    trace, graph = tmp_path / "trace.txt", tmp_path / "dag.dot"
    trace.write_text(TRACE)
    graph.write_text(GRAPH)

    said = catalytic("import", trace, "--with", graph, "-o", tmp_path / "p.json", "--buffer-size", "1kB", "--json")

    assert said.code == 0
    assert said.document["kind"] == "nextflow"
    assert said.document["critical_path_s"] == 3
    assert said.document["allocated"] == 8192 + 4096
    planned = catalytic("plan", tmp_path / "p.json", "-o", tmp_path / "plan.json", "--time-limit", "20")
    assert planned.code == 0


def test_the_format_may_be_said_and_is_believed(tmp_path: Path) -> None:
    source = tmp_path / "graph"
    source.write_text(NODE_LINK.replace("peak", "size"))
    words = ("-o", tmp_path / "p.json", "--force")

    for word in ("node-link", "node_link", "NodeLink"):
        assert catalytic("import", word, source, *words).code == 0
    assert catalytic("import", source, *words).code == 0
    other = catalytic("import", "wfcommons", source, *words)
    assert other.code == 2
    assert "schemaVersion" in other.err
    ours = catalytic("import", "plan", source, *words)
    assert ours.code == 2
    assert "found node-link, allowed plan" in ours.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing argument"),
        (("a", "b", "c"), "3 words, allowed [FORMAT] FILE"),
        (("pcap", "file"), "'pcap' is not one of"),
        (("onnx", "no-such-file"), "does not exist"),
    ],
)
def test_words_that_are_no_format_and_file_are_a_usage_error(words: tuple[str, ...], message: str) -> None:
    said = catalytic("import", *words)

    assert said.code == 2
    assert message in said.err


def test_a_file_called_like_a_format_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("onnx").write_text(HYPERDAG)

    assert catalytic("import", "onnx", "-o", "p.json", "--json").document["kind"] == "hyperdag"


def test_the_help_names_every_format() -> None:
    from catalytic.solver.formats import FOREIGN

    shown = catalytic("import", "--help").out

    assert [word for word in FOREIGN if word not in shown] == []


def test_a_python_file_is_run_only_when_its_format_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask")
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "pipeline.py"
    source.write_text("open('was-run', 'w').close()\ngraph = {'a': (sum, [1]), 'b': (sum, ['a'])}\n")

    assert catalytic("import", source, "-o", tmp_path / "p.json").code == 2
    assert not (tmp_path / "was-run").exists()
    said = catalytic("import", "dask", source, "-o", tmp_path / "p.json", "--variable", "graph", "--json")
    assert (said.code, said.document["tasks"]) == (0, 2)
    assert (tmp_path / "was-run").exists()
