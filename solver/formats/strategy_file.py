"""Strategy files: ours, ``pebbling-strategy/1``, and the timeline form of earlier tools.

Ours holds the problem (embedded, with its digest), what was asked, one move a line, and what follows from the moves::

    {"format": "pebbling-strategy/1", "problem_digest": "sha256:...", "limit": 1000000, "rule": "greedy",
     "status": "FEASIBLE",
     "steps": [{"compute": "a"}, {"drop": "x"}, {"borrow": "y", "for": "b"}, {"compute": "b"},
               {"restore": "y", "for": "b"}],
     "profile": {"peak": 8192, "where": 3, "live_bytes": [4096, 4096]},
     "cost": {"base": 3.5, "extra": 0, "recomputes": 0, "io_bytes": 0},
     "bounds": [], "problem": {"format": "catalytic-problem/1"}}

``profile`` and ``cost`` are derived; a file whose figures differ from what its moves give is refused
(``InvalidPlan``). In the timeline form times are seconds, memory is in MB = 10^6 bytes, unknown keys are ignored, and
an allocation may name a ``data_type``.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ..errors import InputError, InvalidPlan, Mistake
from ..plan import Status
from ..plan.strategy import Allocation, Move, Step, Strategy, Timeline, replay
from ..units import MAX_BYTES, Bytes, Tick, to_seconds
from .border import Moment, Shape, check_shape
from .foreign import ForeignShape
from .json_text import digest_json, parse_json, read_bytes, write_json
from .plan_file import BoundShape, bound_document, bound_from, differences
from .problem_file import problem_document, problem_from, refuse_other_format

STRATEGY_FORMAT = "pebbling-strategy/1"
_MOVES = frozenset(move.value for move in Move)


class StrategyShape(Shape):
    format: Literal["pebbling-strategy/1"]
    problem_digest: str
    limit: int | None
    rule: str
    status: Literal["OPTIMAL", "FEASIBLE", "INFEASIBLE", "UNKNOWN"]
    steps: list[dict[str, str]]
    profile: dict[str, Any]
    cost: dict[str, Any]
    bounds: list[BoundShape]
    problem: dict[str, Any]


class AllocationShape(ForeignShape):
    task_id: str
    allocation_time: Moment
    deallocation_time: Moment
    memory_requirement: Annotated[int | float, Field(ge=0, le=MAX_BYTES // 10**6)]
    data_type: str | None = None


class TimelineHeaderShape(ForeignShape):
    algorithm: str = "unknown"


class TimelineShape(ForeignShape):
    pebbling_strategy: TimelineHeaderShape
    allocation_timeline: list[AllocationShape]


def load_strategy(path: Path) -> Strategy | Timeline:
    """The strategy or timeline in ``path``. Raises ``InputError``; ``InvalidPlan`` when its figures contradict it."""
    return parse_strategy(read_bytes(path), str(path))


def parse_strategy(data: bytes, origin: str) -> Strategy | Timeline:
    """The strategy or timeline in ``data``; raises like :func:`load_strategy`."""
    document = parse_json(data, origin)
    if "allocation_timeline" in document:
        return _timeline(check_shape(TimelineShape, document, origin), origin)
    refuse_other_format(document, STRATEGY_FORMAT, origin)
    shape = check_shape(StrategyShape, document, origin)
    steps, mistakes = _steps(shape.steps)
    if mistakes:
        raise InputError(origin, mistakes)
    try:
        problem = problem_from(shape.problem, origin)
    except InputError as error:
        embedded = [Mistake(f"problem.{m.path}", m.found, m.allowed, m.hint) for m in error.mistakes]
        raise InputError(origin, embedded) from None
    strategy = Strategy(
        problem=problem,
        steps=steps,
        limit=Bytes(shape.limit) if shape.limit is not None else None,
        rule=shape.rule,
        status=Status(shape.status),
        bounds=tuple(bound_from(b) for b in shape.bounds),
    )
    try:
        derived = strategy_document(strategy)
    except InputError as error:
        raise InputError(origin, error.mistakes) from None
    contradictions = [
        f"{at} is {found!r}, the moves make it {expected!r}" for at, found, expected in differences(document, derived)
    ]
    if contradictions:
        raise InvalidPlan(contradictions)
    return strategy


def _steps(records: list[dict[str, str]]) -> tuple[tuple[Step, ...], list[Mistake]]:
    steps, mistakes = [], []
    for index, record in enumerate(records):
        moves = [key for key in record if key in _MOVES]
        others = sorted(record.keys() - {*moves, "for"})
        lends = moves in (["borrow"], ["restore"])
        if len(moves) != 1 or others or ("for" in record) != lends:
            allowed = f"one of {', '.join(Move)}; 'for' with borrow and restore only"
            mistakes.append(Mistake(f"steps[{index}]", ", ".join(record) or "nothing", allowed))
        else:
            steps.append(Step(Move(moves[0]), record[moves[0]], record.get("for")))
    return tuple(steps), mistakes


def dump_strategy(strategy: Strategy) -> bytes:
    """Canonical bytes of ``strategy``; ``InputError`` when its moves are impossible."""
    return write_json(strategy_document(strategy))


def strategy_document(strategy: Strategy) -> dict[str, object]:
    """The canonical JSON document of ``strategy``."""
    result = replay(strategy)
    problem = problem_document(strategy.problem)
    return {
        "format": STRATEGY_FORMAT,
        "problem_digest": digest_json(problem),
        "limit": strategy.limit,
        "rule": strategy.rule,
        "status": strategy.status.value,
        "steps": [{s.move.value: s.subject} | ({"for": s.task} if s.task is not None else {}) for s in strategy.steps],
        "profile": {"peak": result.peak, "where": result.peak_step, "live_bytes": list(result.profile)},
        "cost": {
            "base": to_seconds(result.base),
            "extra": to_seconds(result.extra),
            "recomputes": result.recomputes,
            "io_bytes": result.io,
        },
        "bounds": [bound_document(b) for b in strategy.bounds],
        "problem": problem,
    }


def _timeline(shape: TimelineShape, origin: str) -> Timeline:
    mistakes, first = [], dict[str, int]()
    for index, a in enumerate(shape.allocation_timeline):
        path = f"allocation_timeline[{index}]"
        if not a.task_id or "\x00" in a.task_id:
            mistakes.append(Mistake(f"{path}.task_id", repr(a.task_id), "non-empty text without NUL"))
        if a.task_id in first:
            where = f"each task once; it stands at allocation_timeline[{first[a.task_id]}]"
            mistakes.append(Mistake(f"{path}.task_id", repr(a.task_id), where))
        first.setdefault(a.task_id, index)
        if a.deallocation_time < a.allocation_time:
            allowed = f"a moment from allocation_time = {to_seconds(a.allocation_time)} on"
            mistakes.append(Mistake(f"{path}.deallocation_time", str(to_seconds(a.deallocation_time)), allowed))
    if mistakes:
        raise InputError(origin, mistakes)
    return Timeline(
        name=Path(origin).stem,
        algorithm=shape.pebbling_strategy.algorithm,
        allocations=tuple(
            Allocation(
                task=a.task_id,
                allocated=Tick(a.allocation_time),
                deallocated=Tick(max(a.deallocation_time, a.allocation_time + 1)),
                size=Bytes(int((Decimal(str(a.memory_requirement)) * 10**6).to_integral_value(ROUND_CEILING))),
                data_type=a.data_type,
            )
            for a in shape.allocation_timeline
        ),
    )
