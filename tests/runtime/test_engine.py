"""The engine, simulated from a seed: order, exclusive partitions, resources, and what may run after a failure."""

from __future__ import annotations

import random

import pytest

from catalytic.runtime.engine import Committed, Engine, Event, Failed, Halted, Resumed, Returned
from catalytic.runtime.execution import Execution, Executions, capacities
from catalytic.solver.problem import Isolation
from tests.runtime.plans import random_problem, tight_plan

Trace = list[tuple[str, str]]


def simulate(
    executions: list[Execution], capacity: dict[str, int], slots: int, rng: random.Random, fail: float = 0.0
) -> tuple[Engine, Trace]:
    """Run to the end, ending a random execution at a time; the engine, and what happened in order."""
    engine = Engine(executions, capacity, slots)
    started = [s.execution for s in engine.handle([])]
    running = list(started)
    trace = [("start", name) for name in started]
    while running:
        name = running.pop(rng.randrange(len(running)))
        event: Event = Committed(name)
        draw = rng.random()
        if draw < fail:
            event = Failed(name)
        elif draw > 0.95:
            event = Returned(name)
        trace.append((type(event).__name__.lower(), name))
        new = [s.execution for s in engine.handle([event])]
        running += new
        trace += [("start", n) for n in new]
        _require_held(engine, slots)
    return engine, trace


def _require_held(engine: Engine, slots: int) -> None:
    running = [engine.executions[n] for n in engine.running]
    assert len(running) <= slots
    partitions = [p for e in running for p in e.partitions]
    assert len(partitions) == len(set(partitions)), "two writers in one partition"


@pytest.mark.parametrize("seed", range(40))
def test_every_execution_runs_after_its_predecessors_and_alone_in_its_partitions(seed: int) -> None:
    problem = random_problem(seed, tasks=20, partitions=1 + seed % 4)
    executions = list(Executions(tight_plan(problem)).order)
    rng = random.Random(seed)

    engine, trace = simulate(executions, capacities(problem, 3), 3, rng)

    assert engine.finished
    assert engine.committed == {e.id for e in executions}
    done: set[str] = set()
    for what, name in trace:
        if what == "start":
            assert engine.executions[name].needs | engine.executions[name].waits <= done
        elif what == "committed":
            done.add(name)


def test_partitions_are_exclusive_exactly_when_the_problem_says_so() -> None:
    problem = random_problem(3, partitions=3)
    assert problem.workspace.isolation is Isolation.EXCLUSIVE
    assert any(e.partitions for e in Executions(tight_plan(problem)).order)

    shared = random_problem(3, partitions=1)
    assert not any(e.partitions for e in Executions(tight_plan(shared)).order)


@pytest.mark.parametrize("seed", range(60))
def test_after_failures_nothing_runs_on_missing_or_overwritten_bytes(seed: int) -> None:
    """Whoever starts has its inputs committed and nobody has begun to overwrite them; all that could ran."""
    problem = random_problem(seed, tasks=18)
    plan = tight_plan(problem)
    derived = Executions(plan)
    executions = list(derived.order)
    rng = random.Random(seed)
    engine, trace = simulate(executions, capacities(problem, 3), 3, rng, fail=0.12)

    owner: dict[tuple[int, int], str] = {}
    page = problem.workspace.alignment
    done: set[str] = set()
    for what, name in trace:
        if what == "start":
            assert engine.executions[name].needs <= done
            for b in derived.inputs(name):
                if b in plan.region_of:
                    for e in plan.region_of[b].extents:
                        owners = {owner[e.partition, byte] for byte in range(e.offset, e.end, page)}
                        assert owners <= {b, *derived.outputs(name)}  # its own, where it began in place before
            for r in derived.written_regions(name):
                owner |= {(e.partition, byte): r.buffer for e in r.extents for byte in range(e.offset, e.end, page)}
        elif what == "committed":
            done.add(name)
    assert engine.finished
    assert engine.blocked | engine.failed | engine.committed == {e.id for e in executions}
    for name in engine.blocked:
        assert engine.failed, name


def test_what_only_takes_over_bytes_of_a_failed_task_still_runs() -> None:
    """a fails; c was ordered behind it only by reuse, and nobody needs c's result later."""
    a = Execution("a", 0, readers=frozenset({"b"}))
    b = Execution("b", 1, needs=frozenset({"a"}))
    c = Execution("c", 2, waits=frozenset({"a", "b"}))
    engine = Engine([a, b, c], {}, 1)
    engine.handle([])

    assert [s.execution for s in engine.handle([Failed("a")])] == ["c"]
    engine.handle([Committed("c")])
    assert engine.finished
    assert engine.blocked == {"b"}


@pytest.mark.parametrize("needed_by", ["kept", "a stuck reader"])
def test_what_takes_over_bytes_for_a_result_still_needed_waits(needed_by: str) -> None:
    """Otherwise it would have to be given up again when the run is resumed."""
    a = Execution("a", 0, readers=frozenset({"b"}))
    b = Execution("b", 1, needs=frozenset({"a", "c"}) if needed_by != "kept" else frozenset({"a"}))
    reader = frozenset({"b"}) if needed_by != "kept" else frozenset()
    c = Execution("c", 2, waits=frozenset({"a"}), readers=reader, kept=needed_by == "kept")
    engine = Engine([a, c, b], {}, 1)
    engine.handle([])

    assert engine.handle([Failed("a")]) == []
    assert engine.blocked == {"b", "c"}


def test_a_successor_of_a_stuck_task_inherits_what_that_would_have_waited_for() -> None:
    """The bytes still belong to what r reads: z is freed by r only, though r stands before the stuck p."""
    f = Execution("f", 0)
    r = Execution("r", 1)
    p = Execution("p", 2, needs=frozenset({"f"}), waits=frozenset({"r"}))
    t = Execution("t", 3, waits=frozenset({"p"}))
    engine = Engine([f, r, p, t], {}, 2)
    assert {s.execution for s in engine.handle([])} == {"f", "r"}

    assert engine.handle([Failed("f")]) == []
    assert [s.execution for s in engine.handle([Committed("r")])] == ["t"]


def test_resources_partitions_and_slot_are_taken_in_one_step() -> None:
    big = Execution("big", 0, partitions=frozenset({0, 1}), demands=(("cpu", 2),))
    small = Execution("small", 1, partitions=frozenset({1}), demands=(("cpu", 1),))
    other = Execution("other", 2, partitions=frozenset({2}), demands=(("cpu", 1),))
    engine = Engine([big, small, other], {"cpu": 2}, 3)

    assert [s.execution for s in engine.handle([])] == ["big"]
    assert [s.execution for s in engine.handle([Committed("big")])] == ["small", "other"]


def test_a_demand_above_the_capacity_takes_all_of_it() -> None:
    engine = Engine([Execution("wide", 0, demands=(("workers", 4),))], {"workers": 2}, 2)

    assert [s.execution for s in engine.handle([])] == ["wide"]


def test_a_halted_engine_starts_nothing_until_resumed() -> None:
    engine = Engine([Execution("a", 0), Execution("b", 1, needs=frozenset({"a"}))], {}, 1)
    engine.handle([])

    assert engine.handle([Halted(), Committed("a")]) == []
    assert engine.finished
    assert [s.execution for s in engine.handle([Resumed(frozenset({"a"}))])] == ["a"]


def test_a_long_chain_behind_a_failure_is_blocked_at_once() -> None:
    """Linear, not quadratic: 20 000 executions, each needing the one before."""
    chain = [Execution("e0", 0)]
    chain += [Execution(f"e{n}", n, needs=frozenset({f"e{n - 1}"})) for n in range(1, 20_000)]
    engine = Engine(chain, {}, 1)
    engine.handle([])

    assert engine.handle([Failed("e0")]) == []
    assert len(engine.blocked) == 19_999
