"""ONNX models: real ones where they are present, and small ones with every trap."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="pip install 'catalytic[onnx]'")

from onnx import TensorProto, helper  # noqa: E402

from catalytic.solver.errors import InputError  # noqa: E402
from catalytic.solver.formats import detect, dump_problem, import_onnx, parse_problem  # noqa: E402
from catalytic.solver.formats.onnx_file import is_onnx  # noqa: E402
from catalytic.solver.formats.onnx_shapes import ELEMENT_BITS  # noqa: E402

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data")) / "onnx"
REAL = sorted(DATA.glob("*.onnx"))

FLOAT = TensorProto.FLOAT


def tensor(name: str, *shape: int | str | None, kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name: str, *shape: int) -> Any:
    count = 1
    for extent in shape:
        count *= extent
    return helper.make_tensor(name, FLOAT, shape, [0.0] * count)


def node(operator: str, reads: str, writes: str, **attributes: Any) -> Any:
    return helper.make_node(operator, reads.split(), writes.split(), **attributes)


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    weights: Sequence[Any] = (),
    shapes: Sequence[Any] = (),
) -> Any:
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(weights), value_info=list(shapes))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def saved(folder: Path, content: Any) -> Path:
    path = folder / "small.onnx"
    path.write_bytes(content.SerializeToString())
    return path


def network(batch: int | str | None = 2) -> Any:
    """x -> hidden -> (left, right) -> y, with a weight that is computed from another, an unused node and output."""
    return model(
        [
            node("Transpose", "w", "wt"),
            node("MatMul", "x wt", "hidden", name="dense"),
            node("Relu", "hidden", "left"),
            node("Sigmoid", "hidden", "right"),
            node("Identity", "left", "unused"),
            node("Dropout", "right", "kept mask"),
            node("Add", "left kept", "y", name="dense"),
        ],
        [tensor("x", batch, 100)],
        [tensor("y", batch, 50)],
        [weight("w", 50, 100)],
    )


def test_nodes_are_tasks_and_activations_buffers(tmp_path: Path) -> None:
    imported = import_onnx(saved(tmp_path, network()))
    problem, graph = imported.problem, imported.problem.graph

    assert problem.name == "small"
    # 4 bytes an element: x is 2 x 100, all others are 2 x 50.
    assert {b.id: b.size for b in problem.buffers} == dict.fromkeys(("hidden", "left", "right", "kept", "y"), 400) | {
        "x": 800
    }
    assert [t.id for t in problem.tasks] == ["Dropout_5", "Relu_2", "Sigmoid_3", "dense", "dense_6"]
    assert graph.task["dense"].inputs == ("x",)
    assert graph.task["dense_6"].inputs == ("left", "kept")
    assert graph.external == ("x",)
    assert set(graph.exported) == {"y"}
    assert problem.workspace.alignment == 64
    assert problem.workspace.size == 5 * 448 + 832  # rounded up to 64
    said = "\n".join(imported.assumptions)
    for part in ("1 initializers", "results of 1 nodes", "no output needs (1)", "nobody reads (1)", "1 ms per MB"):
        assert part in said


def test_a_task_lasts_a_millisecond_per_megabyte_it_touches(tmp_path: Path) -> None:
    graph = model([node("Relu", "x", "y")], [tensor("x", 1000, 1000)], [tensor("y", 1000, 1000)])

    assert import_onnx(saved(tmp_path, graph)).problem.tasks[0].duration == 8
    assert import_onnx(saved(tmp_path, graph), scale_time=10.0).problem.tasks[0].duration == 80
    assert import_onnx(saved(tmp_path, graph), scale_time=1e-6, scale_sizes=2.0).problem.tasks[0].duration == 1


def test_an_output_that_is_read_inside_is_exported_all_the_same(tmp_path: Path) -> None:
    graph = model([node("Relu", "x", "y"), node("Relu", "y", "z")], [tensor("x", 4)], [tensor("y", 4), tensor("z", 4)])

    assert set(import_onnx(saved(tmp_path, graph)).problem.graph.exported) == {"y", "z"}


def test_a_tensor_read_twice_by_one_node_is_one_input(tmp_path: Path) -> None:
    graph = model([node("Mul", "x x", "y")], [tensor("x", 4)], [tensor("y", 4)])

    assert import_onnx(saved(tmp_path, graph)).problem.tasks[0].inputs == ("x",)


def test_initializers_that_are_listed_as_inputs_are_weights(tmp_path: Path) -> None:
    graph = model(
        [node("MatMul", "x w", "y")], [tensor("x", 2, 3), tensor("w", 3, 2)], [tensor("y", 2, 2)], [weight("w", 3, 2)]
    )

    assert import_onnx(saved(tmp_path, graph)).problem.graph.external == ("x",)


def test_outputs_that_need_no_task_are_left_out_and_said(tmp_path: Path) -> None:
    graph = model(
        [node("Relu", "x", "y"), node("Relu", "w", "v")],
        [tensor("x", 4)],
        [tensor("y", 4), tensor("v", 4), tensor("x", 4)],
        [weight("w", 4)],
    )
    imported = import_onnx(saved(tmp_path, graph))

    assert [b.id for b in imported.problem.buffers] == ["x", "y"]
    assert "need no task are left out: v, x" in "\n".join(imported.assumptions)


def test_what_a_body_captures_is_read_by_its_node(tmp_path: Path) -> None:
    """Both branches of an If use outer tensors: one directly, one from a body within the body."""
    inner = helper.make_graph([node("Neg", "b", "deep")], "inner", [], [tensor("deep", 4)])
    other = helper.make_graph([node("Abs", "a", "flat")], "other", [], [tensor("flat", 4)])
    nested = node("If", "condition", "nested", then_branch=inner, else_branch=other)
    then = helper.make_graph([nested], "then", [], [tensor("nested", 4)])
    otherwise = helper.make_graph([node("Identity", "w", "same")], "otherwise", [], [tensor("same", 4)])
    graph = model(
        [
            node("Relu", "x", "a"),
            node("Neg", "x", "b"),
            node("If", "condition", "y", then_branch=then, else_branch=otherwise),
        ],
        [tensor("x", 4), tensor("condition", kind=TensorProto.BOOL)],
        [tensor("y", 4)],
        [weight("w", 4)],
    )
    imported = import_onnx(saved(tmp_path, graph))
    problem = imported.problem

    assert set(problem.graph.task["If_2"].inputs) == {"condition", "a", "b"}
    assert problem.graph.buffer["condition"].size == 1
    assert "bodies of 1 control-flow nodes" in "\n".join(imported.assumptions)


@pytest.mark.parametrize(("batch", "name"), [("batch", "batch"), (None, "x:0")], ids=["symbol", "unknown"])
def test_the_batch_counts_as_one_unless_it_is_bound(batch: str | None, name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, network(batch))

    assumed, bound = import_onnx(path), import_onnx(path, dimensions={name: 7})

    assert assumed.problem.graph.buffer["hidden"].size == 200
    assert f"the batch counts as 1: {name} " in "\n".join(assumed.assumptions)
    assert bound.problem.graph.buffer["hidden"].size == 1400
    assert bound.problem.graph.buffer["x"].size == 2800
    assert f"bound: {name} = 7" in "\n".join(bound.assumptions)
    assert "batch counts" not in "\n".join(bound.assumptions)


def test_other_symbols_must_be_bound_and_are_told_once(tmp_path: Path) -> None:
    """The first axis of ``mask`` is no batch: its symbol is the second axis of ``tokens``."""
    graph = model(
        [node("Add", "tokens mask", "sum"), node("Relu", "sum", "y")],
        [tensor("tokens", "batch", "length"), tensor("mask", "length")],
        [tensor("y", "batch", "length")],
    )
    path = saved(tmp_path, graph)

    with pytest.raises(InputError) as caught:
        import_onnx(path)
    assert [m.path for m in caught.value.mistakes] == ["graph.input[0]", "graph.input[1]"]
    assert "'tokens' of shape [1, length], with symbol 'length' on axis 1" in str(caught.value)
    assert "--bind-dimension length=N" in str(caught.value)
    assert import_onnx(path, dimensions={"length": 9}).problem.graph.buffer["sum"].size == 36


def test_a_size_that_depends_on_data_is_told_at_its_node_and_can_be_bound(tmp_path: Path) -> None:
    """NonZero: as many columns as there are non-zeros. What follows from it is unknown too, and not told."""
    graph = model(
        [node("NonZero", "x", "places"), node("Cast", "places", "y", to=FLOAT), node("Relu", "x", "z")],
        [tensor("x", 5, 6)],
        [tensor("y", 2, None), tensor("z", 5, 6)],
    )
    path = saved(tmp_path, graph)

    with pytest.raises(InputError) as caught:
        import_onnx(path)
    (mistake,) = caught.value.mistakes
    assert mistake.path == "graph.node[0] (NonZero).output"
    assert "'places' of shape [2, " in mistake.found

    symbol = mistake.hint.removeprefix("bind it: catalytic import FILE --bind-dimension ").removesuffix("=N")
    problem = import_onnx(path, dimensions={symbol: 11}).problem
    assert (problem.graph.buffer["places"].size, problem.graph.buffer["y"].size) == (2 * 11 * 8, 2 * 11 * 4)


def test_what_follows_from_a_bound_size_is_inferred(tmp_path: Path) -> None:
    """Twice an unknown number of columns is unknown too, until the number is bound."""
    graph = model(
        [node("NonZero", "x", "places"), node("Concat", "places places", "twice", axis=1), node("Neg", "twice", "y")],
        [tensor("x", 5, 6)],
        [tensor("y", 2, None, kind=TensorProto.INT64)],
    )
    problem = import_onnx(saved(tmp_path, graph), dimensions={"places:1": 11}).problem

    assert problem.graph.buffer["twice"].size == 2 * 22 * 8


def test_an_unknown_operator_needs_a_stated_shape(tmp_path: Path) -> None:
    def custom(*shapes: Any) -> Any:
        mystery = node("Mystery", "x", "h", domain="example.org")
        graph = model([mystery, node("Relu", "h", "y")], [tensor("x", 4)], [tensor("y", 4)], shapes=shapes)
        graph.opset_import.append(helper.make_opsetid("example.org", 1))
        return graph

    with pytest.raises(InputError, match=r"graph\.node\[0\] \(Mystery\)\.output: found 'h' of .*graph\.value_info"):
        import_onnx(saved(tmp_path, custom()))
    assert import_onnx(saved(tmp_path, custom(tensor("h", 3, 4)))).problem.graph.buffer["h"].size == 48


@pytest.mark.parametrize("element", sorted(ELEMENT_BITS))
def test_every_element_type_has_its_size(element: str, tmp_path: Path) -> None:
    kind = TensorProto.DataType.Value(element)
    graph = model([node("Identity", "x", "y")], [tensor("x", 3, kind=kind)], [tensor("y", 3, kind=kind)])

    size = import_onnx(saved(tmp_path, graph)).problem.graph.buffer["y"].size

    assert size == -(-3 * ELEMENT_BITS[element] // 8)
    if ELEMENT_BITS[element] >= 8:
        assert size == 3 * helper.tensor_dtype_to_np_dtype(kind).itemsize


def test_only_strings_have_no_size() -> None:
    assert set(TensorProto.DataType.keys()) - ELEMENT_BITS.keys() == {"UNDEFINED", "STRING"}


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), length=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_chain_of_nodes_is_a_chain_of_tasks(
    shape: list[int], length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nodes = [node("Relu", f"t{i}", f"t{i + 1}") for i in range(length)]
    graph = model(nodes, [tensor("t0", *shape)], [tensor(f"t{length}", *shape)])

    problem = import_onnx(saved(tmp_path_factory.mktemp("onnx"), graph)).problem

    size = 4
    for extent in shape:
        size *= extent
    assert {b.id: b.size for b in problem.buffers} == {f"t{i}": size for i in range(length + 1)}
    assert {t.id: (t.inputs, t.outputs) for t in problem.tasks} == {
        f"Relu_{i}": ((f"t{i}",), (f"t{i + 1}",)) for i in range(length)
    }
    assert parse_problem(dump_problem(problem), "again.json") == problem


X, Y = [tensor("x", 4)], [tensor("y", 4)]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (model([], X, Y), "graph.node: found no nodes"),
        (model([node("Relu", "x", "y")], X, []), "graph.output: found no outputs"),
        (model([node("Relu", "w", "y")], X, Y, [weight("w", 4)]), "graph.node: found only weights"),
        (model([node("Relu", "xx", "y")], [tensor("xxx", 4)], Y), "(Relu).input: found 'xx', allowed a tensor of"),
        (model([node("Relu", "xx", "y")], [tensor("xxx", 4)], Y), "did you mean 'xxx'"),
        (
            model([node("Relu", "h", "y"), node("Relu", "x", "h")], X, Y),
            "graph.node[0] (Relu).input: found 'h', allowed nodes in topological order: graph.node[1] (Relu) writes it",
        ),
        (
            model([node("Relu", "x", "y"), node("Neg", "x", "y")], X, Y),
            "graph.node[1] (Neg).output: found 'y', allowed a new name: graph.node[0] (Relu) has it",
        ),
        (model([node("Relu", "x", "x")], X, Y), "allowed a new name: an input of the graph or an initializer has it"),
        (model([node("Relu", "x", "z")], X, Y), "graph.output[0]: found 'y'"),
        (
            model(
                [node("Identity", "x", "y")],
                [tensor("x", 4, kind=TensorProto.STRING)],
                [tensor("y", 4, kind=TensorProto.STRING)],
            ),
            "graph.input[0]: found 'x' of element type STRING",
        ),
        (
            model(
                [node("SequenceConstruct", "x", "s"), node("ConcatFromSequence", "s", "y", axis=0)],
                X,
                Y,
            ),
            "(SequenceConstruct).output: found 's' of type sequence, allowed a tensor",
        ),
        (
            model([node("MatMul", "x w", "y")], [tensor("x", 2, 3)], [tensor("y", 2, 2)], [weight("w", 4, 2)]),
            "found a graph whose shapes contradict each other",
        ),
    ],
    ids=[
        "no nodes",
        "no outputs",
        "only weights",
        "unknown input",
        "near miss",
        "not in order",
        "written twice",
        "overwritten input",
        "unwritten output",
        "strings",
        "sequence",
        "contradiction",
    ],
)
def test_a_defect_is_told_with_its_place(graph: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        import_onnx(saved(tmp_path, graph))

    assert message in str(caught.value)


def test_all_defects_are_told_at_once(tmp_path: Path) -> None:
    graph = model([node("Relu", "a", "b"), node("Add", "b c", "b")], [tensor("x", 4)], [tensor("y", 4), tensor("z", 4)])

    with pytest.raises(InputError) as caught:
        import_onnx(saved(tmp_path, graph))

    assert [m.path for m in caught.value.mistakes] == [
        "graph.node[0] (Relu).input",
        "graph.node[1] (Add).input",
        "graph.node[1] (Add).output",
        "graph.output[0]",
        "graph.output[1]",
    ]


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"bach": 3}, "--bind-dimension bach: found 'bach', allowed an open dimension: batch; did you mean 'batch'"),
        ({"batch": -3}, "--bind-dimension batch: found -3, allowed a number from 0"),
    ],
)
def test_a_binding_that_fits_nothing_is_refused(dimensions: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        import_onnx(saved(tmp_path, network("batch")), dimensions=dimensions)

    assert message in str(caught.value)


def test_a_truncated_model_is_still_an_onnx_file_and_a_damaged_one(tmp_path: Path) -> None:
    whole = saved(tmp_path, network()).read_bytes()
    path = tmp_path / "part.onnx"
    path.write_bytes(whole[: len(whole) // 2])

    assert detect(path) == "onnx"
    with pytest.raises(InputError, match="damaged ONNX model"):
        import_onnx(path)


def test_a_model_beyond_what_protobuf_can_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalytic.solver.formats.onnx_file._LARGEST", 100)

    with pytest.raises(InputError, match=r"allowed at most 100; .*external"):
        import_onnx(saved(tmp_path, network()))


def test_weights_in_files_of_their_own_are_not_needed(tmp_path: Path) -> None:
    graph = network()
    onnx.external_data_helper.convert_model_to_external_data(graph, location="weights.bin", size_threshold=0)
    graph.graph.initializer[0].ClearField("float_data")

    assert import_onnx(saved(tmp_path, graph)).problem == import_onnx(saved(tmp_path, network())).problem


def test_a_compressed_model_gives_the_same_problem(tmp_path: Path) -> None:
    plain = saved(tmp_path, network())
    packed = tmp_path / "small.onnx.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert detect(packed) == "onnx"
    assert import_onnx(packed).problem == import_onnx(plain).problem


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
@settings(max_examples=300)
def test_looking_for_a_model_never_fails_and_text_is_none(data: bytes) -> None:
    found = is_onnx(data)

    assert isinstance(found, bool)
    if data[:1] != b"\x08":  # the tag of the version, which every writer puts first
        assert not (found and data.decode("utf-8", "replace").isprintable())


def test_without_the_package_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "from pathlib import Path\n"
        "from catalytic.solver.formats import detect, import_onnx\n"
        f"path = Path({str(path)!r})\n"
        "assert detect(path) == 'onnx'\n"
        "try: import_onnx(path)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("InputError")
    assert "pip install 'catalytic[onnx]'" in done.stdout


def test_reading_other_files_does_not_load_the_package() -> None:
    code = "import sys, catalytic.app.sources, catalytic.solver.formats; sys.exit('onnx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real models: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_model_is_imported_whole(path: Path) -> None:
    """Parameters of these models are made by ConstantOfShape and Unsqueeze nodes; all others are activations."""
    graph = onnx.load(str(path)).graph
    operators = [n.op_type for n in graph.node]

    problem = import_onnx(path).problem

    assert detect(path) == "onnx"
    assert len(problem.tasks) == sum(o not in ("ConstantOfShape", "Unsqueeze") for o in operators)
    assert len(problem.graph.external) == 1
    assert problem.graph.buffer[problem.graph.external[0]].size == 4 * 3 * 224 * 224
    assert list(problem.graph.exported) == [value.name for value in graph.output]
    assert [problem.graph.buffer[b].size for b in problem.graph.exported] == [4 * 1000]
    assert parse_problem(dump_problem(problem), "again.json") == problem
