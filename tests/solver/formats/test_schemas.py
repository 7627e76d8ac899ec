"""JSON Schemas against the readers, by a validator that others wrote: what one refuses the other does not take."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from catalytic.solver.errors import CatalyticError, InputError
from catalytic.solver.formats import dump_plan, dump_problem, dump_strategy, load_problem, parse_plan, parse_problem
from catalytic.solver.formats.border import check_shape
from catalytic.solver.formats.json_text import parse_json
from catalytic.solver.formats.problem_file import ProblemShape
from catalytic.solver.formats.schemas import KINDS, schema, schema_text
from catalytic.solver.plan import Plan, plan_without_reuse
from catalytic.solver.plan.strategy import Strategy
from catalytic.solver.problem import Problem
from tests.strategies import plans, problems, strategies

INSTANCES = Path(__file__).parents[3] / "instances"
PROBLEMS = [
    p
    for p in sorted(INSTANCES.rglob("*.json"))
    if "broken" not in p.parts and p.name not in ("best_known.json", "pebbling-strategy.json")
]
BROKEN = sorted((INSTANCES / "broken").glob("*.json"))
LOOSE = {"absurd-size.json"}
"""Breaks the shape in a way that JSON Schema has no words for: a text that means too many bytes."""


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def valid(kind: str, document: object) -> bool:
    return bool(validator(kind).is_valid(document))


def records(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every record of a schema with its pointer, those of embedded schemas included."""
    for pointer, record in (("#", whole), *((f"#/$defs/{n}", r) for n, r in whole.get("$defs", {}).items())):
        if "properties" in record:
            yield pointer, record


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema_and_explains_everything(kind: str) -> None:
    whole = schema(kind)

    Draft202012Validator.check_schema(whole)
    assert whole["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert whole["$id"].startswith("urn:catalytic:schema:")
    assert json.loads(schema_text(kind)) == whole
    assert schema_text(kind) == schema_text(kind)
    for pointer, record in records(whole):
        assert record["title"], pointer
        assert len(record["description"]) > 10, pointer
        for key, told in record["properties"].items():
            assert told["description"].endswith("."), (pointer, key)
    assert "Shape" not in schema_text(kind).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_one(kind: str) -> None:
    whole = schema(kind)
    registry: Registry[Any] = Resource.from_contents(whole) @ Registry()
    shown = 0
    for pointer, record in records(whole):
        if pointer == "#/$defs/Problem" and kind != "problem":
            continue  # a schema of its own, which this test meets by itself
        for key, told in record["properties"].items():
            for example in told.get("examples", []):
                one = {"$schema": whole["$schema"], "$ref": f"{whole['$id']}{pointer}/properties/{key}"}
                assert Draft202012Validator(one, registry=registry).is_valid(example), (pointer, key, example)
                shown += 1
    assert shown >= 10
    for example in whole.get("examples", []):
        parse_problem(json.dumps(example).encode(), "example.json")


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: str(p.relative_to(INSTANCES)))
def test_every_instance_validates(path: Path) -> None:
    document = json.loads(path.read_bytes())

    assert [e.message for e in validator("problem").iter_errors(document)] == []
    assert valid("problem", json.loads(dump_problem(load_problem(path))))


def test_the_timeline_of_the_specification_validates() -> None:
    document = json.loads((INSTANCES / "specification" / "pebbling-strategy.json").read_bytes())

    assert valid("strategy", document)
    document["allocation_timeline"][0]["allocation_time"] = "now"
    assert not valid("strategy", document)


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_a_file_of_broken_shape_does_not_validate(path: Path) -> None:
    try:
        document = parse_json(path.read_bytes(), path.name)
    except InputError:
        return  # not even JSON of ours
    try:
        check_shape(ProblemShape, document, path.name)
    except InputError:
        assert valid("problem", document) == (path.name in LOOSE)


def test_enough_files_have_a_broken_shape() -> None:
    refused = 0
    for path in BROKEN:
        try:
            refused += not valid("problem", parse_json(path.read_bytes(), path.name))
        except InputError:
            continue
    assert refused >= 20


@given(problems())
@settings(max_examples=30, deadline=None)
def test_what_is_written_validates(problem: Problem) -> None:
    assert [e.message for e in validator("problem").iter_errors(json.loads(dump_problem(problem)))] == []


@given(plans())
@settings(max_examples=20, deadline=None)
def test_plans_that_are_written_validate(plan: Plan) -> None:
    assert [e.message for e in validator("plan").iter_errors(json.loads(dump_plan(plan)))] == []


@given(strategies())
@settings(max_examples=20, deadline=None)
def test_strategies_that_are_written_validate(strategy: Strategy) -> None:
    assert [e.message for e in validator("strategy").iter_errors(json.loads(dump_strategy(strategy)))] == []


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**62 + 5),
    st.floats(-2, 1e12, allow_nan=False),
    st.sampled_from(["", "10MB", "-3", "5XB", "1.5 GiB", "synthetic", "lazy", "keep", "shared", "scratch:x", "a:b"]),
)
WORDS = ["id", "size", "duration", "inputs", "run", "python", "command", "note", "export", "keep", "access"]
KEYS = st.sampled_from(WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The path of every value inside ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def damaged(document: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """``document`` with a value replaced or removed, or a key added."""
    document = copy.deepcopy(document)
    *path, last = data.draw(st.sampled_from(list(places(document))))
    record: Any = document
    for key in path:
        record = record[key]
    deed = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if deed == "remove":
        del record[last]
    elif deed == "add" and isinstance(record, dict):
        record[data.draw(KEYS)] = data.draw(VALUES)
    else:
        record[last] = data.draw(VALUES)
    return document


def whole_numbers_are_written_so(value: object) -> bool:
    """Whether no float is integral: JSON Schema takes 1.0 for an integer, our files do not."""
    if isinstance(value, dict):
        return all(map(whole_numbers_are_written_so, value.values()))
    if isinstance(value, list):
        return all(map(whole_numbers_are_written_so, value))
    return not isinstance(value, float) or not value.is_integer()


@given(st.sampled_from([p for p in PROBLEMS if p.stat().st_size < 4000]), st.data())
@settings(max_examples=150, deadline=None)
def test_schema_and_reader_agree_on_damaged_problems(path: Path, data: st.DataObject) -> None:
    """What the schema refuses the reader refuses; what breaks the shape the schema refuses."""
    document = damaged(json.loads(path.read_bytes()), data)
    assume(whole_numbers_are_written_so(document))
    accepted = valid("problem", document)

    try:
        parse_problem(json.dumps(document).encode(), "damaged.json")
        assert accepted, list(validator("problem").iter_errors(document))
    except InputError:
        try:
            check_shape(ProblemShape, document, "damaged.json")
        except InputError:
            assert not accepted, document


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_plan_that_the_reader_takes_validates(data: st.DataObject) -> None:
    plan = plan_without_reuse(load_problem(INSTANCES / "didactic" / "diamond.json"))
    document = damaged(json.loads(dump_plan(plan)), data)

    try:
        parse_plan(json.dumps(document).encode(), "damaged.json", folder=Path())
    except CatalyticError:
        return
    assert valid("plan", document)
