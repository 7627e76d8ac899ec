"""Strategy files, ours and the timeline form of earlier tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from catalytic.solver.errors import InputError, InvalidPlan
from catalytic.solver.formats import detect, dump_strategy, load_strategy, parse_strategy
from catalytic.solver.plan import Move, Step, Strategy, Timeline
from tests.builders import chain
from tests.strategies import strategies, timelines

INSTANCES = Path(__file__).parents[3] / "instances"


@settings(max_examples=60, deadline=None)
@given(strategies())
def test_reading_gives_back_what_was_written(strategy: Strategy) -> None:
    data = dump_strategy(strategy)

    again = parse_strategy(data, "strategy.json")

    assert again == strategy
    assert dump_strategy(again) == data


def as_timeline_file(timeline: Timeline) -> bytes:
    """The form that earlier tools write, with keys that mean nothing here."""
    return json.dumps(
        {
            "pebbling_strategy": {"algorithm": timeline.algorithm, "peak_memory_reduction": "42%"},
            "allocation_timeline": [
                {
                    "task_id": a.task,
                    "allocation_time": a.allocated / 1000,
                    "deallocation_time": a.deallocated / 1000,
                    "memory_requirement": a.size // 10**6,
                    "pebble_count": 1,
                }
                | ({"data_type": a.data_type} if a.data_type is not None else {})
                for a in timeline.allocations
            ],
            "execution_metadata": {"estimated_total_time": 360},
        }
    ).encode()


@settings(max_examples=60, deadline=None)
@given(timelines())
def test_a_timeline_is_read_in_seconds_and_megabytes(timeline: Timeline) -> None:
    assert parse_strategy(as_timeline_file(timeline), "timeline.json") == timeline


def test_the_specifications_strategy_is_a_timeline() -> None:
    path = INSTANCES / "specification" / "pebbling-strategy.json"

    assert detect(path) == "timeline"
    timeline = load_strategy(path)
    assert isinstance(timeline, Timeline)
    assert len(timeline.allocations) == 24


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"task_id": "a", "allocation_time": 5, "deallocation_time": 4, "memory_requirement": 1}, "deallocation_time"),
        ({"task_id": "", "allocation_time": 0, "deallocation_time": 4, "memory_requirement": 1}, "task_id"),
        ({"task_id": "a", "allocation_time": -1, "deallocation_time": 4, "memory_requirement": 1}, "allocation_time"),
        (
            {"task_id": "a", "allocation_time": 0, "deallocation_time": 4, "memory_requirement": -1},
            "memory_requirement",
        ),
        ({"task_id": "a", "allocation_time": 0, "deallocation_time": 4}, "memory_requirement"),
    ],
    ids=["backwards", "no name", "negative time", "negative size", "no size"],
)
def test_a_wrong_allocation_is_refused_with_its_path(entry: dict[str, object], message: str) -> None:
    data = json.dumps({"pebbling_strategy": {}, "allocation_timeline": [entry]}).encode()

    with pytest.raises(InputError, match=rf"allocation_timeline\[0\]\.{message}"):
        parse_strategy(data, "timeline.json")


def test_figures_that_the_moves_do_not_give_are_refused() -> None:
    steps = (Step(Move.COMPUTE, "t1"), Step(Move.COMPUTE, "t2"))
    document = json.loads(dump_strategy(Strategy(chain(2), steps)))
    document["profile"]["peak"] = 1

    with pytest.raises(InvalidPlan, match=r"profile\.peak is 1, the moves make it 2"):
        parse_strategy(json.dumps(document).encode(), "strategy.json")


@pytest.mark.parametrize(
    "step", [{"juggle": "t1"}, {"compute": "t1", "drop": "b1"}, {"borrow": "b1"}, {"compute": "t1", "for": "t2"}, {}]
)
def test_a_step_is_one_move(step: dict[str, str]) -> None:
    steps = (Step(Move.COMPUTE, "t1"), Step(Move.COMPUTE, "t2"))
    document = json.loads(dump_strategy(Strategy(chain(2), steps)))
    document["steps"][0] = step

    with pytest.raises(InputError, match=r"steps\[0\]"):
        parse_strategy(json.dumps(document).encode(), "strategy.json")
