"""Problem files: what is written is read back, and nothing that is wrong gets in."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from catalytic.solver.errors import InputError
from catalytic.solver.formats import dump_problem, load_problem, parse_problem, problem_digest
from catalytic.solver.problem import Command, Isolation, Problem, PythonCall, Synthetic
from tests.builders import chain, diamond
from tests.strategies import problems

INSTANCES = Path(__file__).parents[3] / "instances"


def parse(text: str) -> Problem:
    return parse_problem(text.encode(), "test.json")


def refused(text: str | bytes) -> str:
    """The message with which ``text`` is refused."""
    with pytest.raises(InputError) as caught:
        parse_problem(text if isinstance(text, bytes) else text.encode(), "test.json")
    return str(caught.value)


def document(**changes: object) -> str:
    """A minimal problem file with some keys set."""
    return json.dumps({"format": "catalytic-problem/1", "tasks": [], **changes})


@settings(max_examples=150, deadline=None)
@given(problems())
def test_reading_gives_back_what_was_written(problem: Problem) -> None:
    data = dump_problem(problem)

    again = parse_problem(data, "again.json")

    assert again == problem
    assert dump_problem(again) == data
    assert problem_digest(again) == problem_digest(problem)
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_the_order_of_tasks_and_buffers_in_a_file_means_nothing() -> None:
    written = json.loads(dump_problem(diamond()))
    written["tasks"].reverse()
    written["buffers"].reverse()

    assert parse(json.dumps(written)) == diamond()
    assert problem_digest(parse(json.dumps(written))) == problem_digest(diamond())


def test_the_digest_changes_with_every_number() -> None:
    assert problem_digest(chain(3, size=1)) != problem_digest(chain(3, size=2))


def test_what_is_left_out_has_its_default() -> None:
    task = {"id": "t", "duration": 0, "outputs": ["b"]}
    problem = parse(document(tasks=[task], buffers=[{"id": "b", "size": "1.5kB"}]))

    assert problem.name == "test"
    assert problem.capacity_of("workers") == (os.cpu_count() or 1)
    assert problem.workspace.isolation is Isolation.EXCLUSIVE
    assert problem.tasks[0].run == Synthetic()
    assert problem.tasks[0].duration == 1  # zero counts as one millisecond
    assert problem.buffers[0].size == 1500


def test_one_partition_is_shared_unless_it_says_otherwise() -> None:
    assert parse(document(workspace={"partitions": 1})).workspace.isolation is Isolation.SHARED
    exclusive = parse(document(workspace={"partitions": 1, "isolation": "exclusive"}))
    assert exclusive.workspace.isolation is Isolation.EXCLUSIVE


@pytest.mark.parametrize(
    ("run", "meant"),
    [
        ("synthetic", Synthetic()),
        ({"synthetic": True}, Synthetic()),
        ({"python": "a.b:c", "args": {"x": [1, None]}}, PythonCall("a.b:c", {"x": [1, None]})),
        ({"python": "a:c"}, PythonCall("a:c")),
        (
            {"command": ["sort", "-n"], "env": {"LC_ALL": "C"}, "stdin": "x", "stdout": "y"},
            Command(("sort", "-n"), (("LC_ALL", "C"),), "x", "y"),
        ),
    ],
    ids=["word", "object", "python", "python without arguments", "command"],
)
def test_a_run_is_one_of_three_kinds(run: object, meant: object) -> None:
    task = {"id": "t", "duration": 1, "inputs": ["x"], "outputs": ["y"], "run": run}
    problem = parse(document(tasks=[task], buffers=[{"id": "x", "size": 1}, {"id": "y", "size": 1}]))

    assert problem.tasks[0].run == meant
    assert parse_problem(dump_problem(problem), "test.json") == problem


def test_export_true_means_the_id() -> None:
    task = {"id": "t", "duration": 1, "outputs": ["y"]}
    problem = parse(document(tasks=[task], buffers=[{"id": "y", "size": 1, "export": True}]))

    assert problem.graph.exported == {"y": "y"}
    assert '"export": true' in dump_problem(problem).decode()
    assert "true for the buffer's id" in refused(document(buffers=[{"id": "y", "size": 1, "export": False}]))


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse_problem(b"\xef\xbb\xbf" + document().encode(), "test.json").tasks == ()


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    for path, found in ((tmp_path, "a directory"), (tmp_path / "absent.json", "no such file")):
        with pytest.raises(InputError, match=found):
            load_problem(path)
    with pytest.raises(InputError, match="unreadable"):
        load_problem(Path("a\x00b"))


def test_a_huge_number_and_endless_nesting_are_mistakes_not_crashes() -> None:
    assert "thousands of digits" in refused('{"format": ' + "1" * 10_000 + "}")
    assert "nesting" in refused('{"a": ' + "[" * 100_000)
    assert "64-bit" in refused(document(resources={"workers": 2**70}))


def test_every_mistake_is_told_even_when_the_shape_is_wrong_too() -> None:
    """An unknown key hides nothing: it is read as the key that was probably meant."""
    task = {"id": "t", "duration": "soon", "outptus": ["y"], "after": ["nobody"], "demands": {"luck": 1}}
    message = refused(document(tasks=[task], buffers=[{"id": "y", "size": "1XB"}]))

    assert "5 mistakes" in message
    for part in ("duration", "did you mean 'outputs'", "'nobody'", "'luck'", "'1XB'"):
        assert part in message


def mutations() -> list[bytes]:
    """200 files that were once good: bytes flipped, cut, doubled and replaced by other JSON."""
    good = (INSTANCES / "didactic" / "two-pools.json").read_bytes()
    rng = Random(7)
    scraps = [
        b"null",
        b"-1",
        b"{}",
        b"[]",
        b'""',
        b"1e999",
        b"true",
        b'"\\ud800"',
        b"\xff",
        b",",
        b"NaN",
        b'{"a":1,"a":2}',
    ]
    spots = [i for i, byte in enumerate(good) if byte in b':,"[]{}0123456789']
    found: list[bytes] = []
    while len(found) < 200:
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            at = rng.choice(spots)
            kind = rng.randrange(4)
            if kind == 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            elif kind == 1:
                data[at + 1 : at + 1 + rng.randint(0, 6)] = rng.choice(scraps)
            elif kind == 2:
                del data[at : at + rng.randint(1, 40)]
            else:
                data = data[: max(1, at)]
        found.append(bytes(data))
    return found


def value_mutations() -> list[bytes]:
    """200 well-formed files in which one value, somewhere, is another."""
    rng = Random(8)
    wrong: list[object] = [None, -1, 2**63, 1e300, "", "x", True, [], {}, [None], {"id": 5}, ["a", "a"], "1GB", 0]
    found = []
    for _ in range(200):
        root = json.loads((INSTANCES / "didactic" / "two-pools.json").read_bytes())
        record = root
        while True:
            key = rng.choice(list(record) if isinstance(record, dict) else range(len(record)))
            inner = record[key]
            if not isinstance(inner, (dict, list)) or not inner or rng.random() < 0.2:
                record[key] = rng.choice(wrong)
                break
            record = inner
        found.append(json.dumps(root).encode())
    return found


def test_a_key_in_angle_brackets_is_told_like_any_other() -> None:
    """Not taken for the name of a kind of ``run``, which would leave the mistake without a place."""
    run = {"python": "m:f", "<PythonShape>": 1}
    task = {"id": "a", "<a>": 1, "demands": {"<b>": "x"}, "run": run}

    told = refused(document(**{"<word>": 1, "tasks": [task]}))

    for place in ("'<word>'", "tasks[0].'<a>'", "tasks[0].demands.'<b>'", "tasks[0].run.'<PythonShape>'"):
        assert f" {place}: found " in told
    assert "allowed one of args, python" in told


@pytest.mark.parametrize("kind", [mutations, value_mutations], ids=lambda f: f.__name__)
def test_two_hundred_mutations_are_accepted_or_refused_but_never_crash(kind: object) -> None:
    refusals = 0
    for data in kind():  # type: ignore[operator]
        try:
            problem = parse_problem(data, "mutated.json")
        except InputError as error:
            refusals += 1
            assert error.mistakes
            assert all(m.path and m.found and m.allowed for m in error.mistakes)
        else:
            assert parse_problem(dump_problem(problem), "again.json") == problem
    assert refusals > 100
