"""Graphs of Dask, made by a Python file that is run when the format is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats.dask_graph import import_dask, problem_of_graph

from .files import Write, writer

dask = pytest.importorskip("dask")

DELAYED = """
from dask import delayed

def add(a, b):
    return a + b

x = delayed(add)(1, 2, dask_key_name="x")
y = delayed(add)(x, 3, dask_key_name="y")
z = delayed(add)(x, y, dask_key_name="z")
del x, y
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "pipeline.py")


def test_keys_are_tasks_and_what_they_refer_to_precedes_them(write: Write) -> None:
    imported = import_dask(write(DELAYED), buffer_size=10, duration=5)

    assert imported.problem.name == "z"
    assert {t.id: (t.duration, t.inputs) for t in imported.problem.tasks} == {
        "x": (5, ()),
        "y": (5, ("x",)),
        "z": (5, ("x", "y")),
    }


def test_a_mapping_of_tasks_and_a_collection_of_arrays_are_graphs_too() -> None:
    plain = {"a": 1, "b": (sum, ["a", 2]), ("c", 0): (max, "b", "a")}

    problem = problem_of_graph(plain, name="plain").problem

    assert problem.graph.predecessors == {"a": (), "b": ("a",), "('c', 0)": ("a", "b")}
    array = pytest.importorskip("dask.array")
    x = array.ones((40, 40), chunks=(20, 20))
    total = (x + x.T).sum()
    large = problem_of_graph(total, name="sum").problem
    assert len(large.tasks) == len(dict(total.__dask_graph__()))
    (last,) = (t for t in large.tasks if not any(t.id in before for before in large.graph.predecessors.values()))
    assert str(total.__dask_keys__()[0]) == last.id


def test_one_of_several_is_named(write: Write) -> None:
    path = write(DELAYED.replace("del x, y", "graph = {'a': (sum, [1])}\nnumber = 3"))

    with pytest.raises(InputError, match=r"found x, y, z, allowed one collection.*--variable NAME"):
        import_dask(path)
    assert len(import_dask(path, variable="y").problem.tasks) == 2
    with pytest.raises(InputError, match="--variable: found 'number', no graph, allowed one of x, y, z"):
        import_dask(path, variable="number")
    with pytest.raises(InputError, match="--variable: found 'yy', no such variable"):
        import_dask(path, variable="yy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "found no graph of Dask, allowed one collection, or one mapping of tasks"),
        ("import math\n\nmath.sqrt(-1)\n", "line 3: found ValueError: "),
        ("x = (\n", "line 1: found SyntaxError"),
        ("raise SystemExit(3)\n", "line 1: found SystemExit: 3"),
        ("graph = {'a': (sum, ['b']), 'b': (sum, ['a'])}\n", "the cycle"),
        ("graph = {1: (sum, [1]), '1': (sum, [2])}\n", "found the text '1' again, allowed keys whose texts differ"),
        ("graph = {}\n", "found no graph of Dask"),
        ("# coding: nonsense\n", "(the whole file): found SyntaxError: unknown encoding"),
        ("graph = {'\\udcff': (sum, [])}\n", r"key '\udcff'.id: found '\udcff', allowed Unicode text"),
        ("graph = {k: (sum, []) for k in (1, '1', 2, '2')}\n", "key '2': found the text '2' again"),
        ("class Odd(BaseException): ...\nraise Odd('x')\n", "line 2: found Odd: x"),
        ("class E(Exception):\n __str__ = None\nraise E\n", "line 3: found E, allowed"),
        (
            "class K:\n def __str__(self): raise ValueError(7)\ngraph = {K(): (sum, [])}\n",
            "line 2: found ValueError: 7",
        ),
        ("class G(dict):\n def __dask_graph__(self): return 5\ng = G()\n", "found TypeError: the graph is int"),
        ("class G(dict):\n def __dask_graph__(self): raise ValueError(7)\ng = G()\n", "line 2: found ValueError: 7"),
    ],
)
def test_a_file_that_makes_no_graph_says_why(text: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        import_dask(write(text))


def test_the_folder_is_on_the_path_meanwhile_and_output_stays_out_of_the_way(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "beside_it.py").write_text("def step(x):\n    return x\n")
    before = list(sys.path)

    problem = import_dask(write("from beside_it import step\nprint('hello')\ngraph = {'a': (step, 1)}\n")).problem

    assert [t.id for t in problem.tasks] == ["a"]
    assert sys.path == before
    assert capsys.readouterr().out == ""


def test_without_the_package_its_name_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalytic.solver.formats.dask_graph.find_spec", lambda name: None)

    with pytest.raises(InputError, match=re.escape("pip install 'catalytic[dask]'")):
        import_dask(write("raise ValueError\n"))


def test_what_a_file_does_to_the_path_is_undone(write: Write) -> None:
    before = list(sys.path)

    import_dask(write("import sys\nsys.path.clear()\ngraph = {'a': (sum, [])}\n"))

    assert sys.path == before


def test_an_interrupt_stays_one(write: Write) -> None:
    with pytest.raises(KeyboardInterrupt):
        import_dask(write("raise KeyboardInterrupt\n"))


def test_keys_may_be_anything_that_has_a_text() -> None:
    assert [t.id for t in problem_of_graph({None: (sum, [1])}, name="n").problem.tasks] == ["None"]
