"""Reasons, slack, idle time and sensitivities of plans against enumeration, recomputation and the checker."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings

from catalytic.solver.analysis import Analysis, Cause, OwnBytes, Reason, analyse
from catalytic.solver.analysis.fullness import WorkingSets, fullest, live_stretches, shrinking
from catalytic.solver.analysis.relief import compressed, richer, with_own_bytes
from catalytic.solver.check import violations
from catalytic.solver.plan import EdgeKind, Extent, Objective, Plan, assemble
from catalytic.solver.problem import Isolation, Problem, Workspace
from catalytic.solver.timing import Conditions, WaitKind, earliest_starts, fixed_waits, moved
from catalytic.solver.timing.shift import in_order
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, honest_proof, planned, problem, starts_of, task
from tests.strategies import plans


def at(**starts: int) -> dict[str, Tick]:
    return {t: Tick(start) for t, start in starts.items()}


def places(**where: tuple[int, int]) -> dict[str, list[Extent]]:
    """Buffer -> one extent (offset, length) in partition 0."""
    return {b: [Extent(0, Bytes(offset), Bytes(length))] for b, (offset, length) in where.items()}


def owned_bytes(plan: Plan, moment: int) -> set[tuple[int, int]]:
    """The definition: every (partition, byte) that some living region covers."""
    return {
        (e.partition, byte)
        for r in plan.regions
        if r.lifetime.birth <= moment < r.lifetime.death
        for e in r.extents
        for byte in range(e.offset, e.end)
    }


@settings(max_examples=60, deadline=None)
@given(plans())
def test_live_bytes_are_the_bytes_somebody_owns_at_each_tick(plan: Plan) -> None:
    stretches = live_stretches(plan)

    for s in stretches:
        for moment in range(s.begin, s.end):
            assert s.live == len(owned_bytes(plan, moment))
    assert sum(s.end - s.begin for s in stretches) == plan.measures.makespan
    assert max((s.live for s in stretches), default=0) == plan.measures.peak_live


def after_cutting(plan: Plan, buffer: str, kept: int) -> tuple[int, int]:
    """Peak and footprint when only the first ``kept`` bytes of a region remain, counted byte by byte."""
    region = plan.region_of[buffer]
    (extent,) = region.extents
    cut = replace(region, extents=(replace(extent, length=Bytes(kept)),))
    smaller = replace(plan, regions=tuple(cut if r is region else r for r in plan.regions))
    return max(len(owned_bytes(smaller, tick)) for tick in range(plan.measures.makespan)), footprint(smaller)


@settings(max_examples=80, deadline=None)
@given(plans())
def test_a_smaller_buffer_helps_by_what_recounting_every_byte_gives(plan: Plan) -> None:
    alignment = plan.problem.workspace.alignment
    for s in shrinking(plan, 2):
        kept = -(-(s.size - s.by) // alignment) * alignment

        assert 0 <= s.by <= 2
        assert after_cutting(plan, s.buffer, kept) == (
            plan.measures.peak_live - s.peak,
            plan.measures.footprint - s.footprint,
        )


def footprint(plan: Plan) -> int:
    ends: dict[int, int] = {}
    for r in plan.regions:
        for e in r.extents:
            ends[e.partition] = max(ends.get(e.partition, 0), e.end)
    return sum(ends.values())


@settings(max_examples=80, deadline=None)
@given(plans())
def test_buffers_that_are_not_listed_help_nothing(plan: Plan) -> None:
    listed = {s.buffer for s in shrinking(plan, 1)}
    alignment = plan.problem.workspace.alignment
    for r in plan.regions:
        if r.buffer not in listed and len(r.extents) == 1 and r.length > alignment:
            assert after_cutting(plan, r.buffer, r.length - alignment) == (
                plan.measures.peak_live,
                plan.measures.footprint,
            )


@settings(max_examples=80, deadline=None)
@given(plans())
def test_the_largest_working_set_with_another_size_is_that_of_the_resized_problem(plan: Plan) -> None:
    alignment = plan.problem.workspace.alignment
    for b in plan.problem.buffers:
        if b.id in plan.region_of:
            resized = replace(b, size=Bytes(b.size + 5))
            buffers = tuple(resized if other is b else other for other in plan.problem.buffers)
            aligned = -(-(b.size + 5) // alignment) * alignment
            expected = WorkingSets(replace(plan.problem, buffers=buffers)).largest()
            assert WorkingSets(plan.problem).largest({b.id: aligned}) == expected


def test_the_largest_working_set_falls_with_the_buffers_in_it() -> None:
    """While b runs, x and y are alive: 9 of 11 bytes; no plan needs fewer than the largest working set."""
    question = problem(task("a", "", "x"), task("b", "x", "y"), task("c", "y", "z"), sizes={"x": 4, "y": 5, "z": 2})
    plan = planned(question, at(a=0, b=1, c=2), places(x=(0, 4), y=(4, 5), z=(0, 2)))

    helped = {s.buffer: (s.by, s.peak, s.footprint, s.working_set) for s in shrinking(plan, 3)}

    # y, three bytes smaller, leaves 6 bytes at its top; x leaves a hole below y.
    assert helped == {"y": (3, 3, 3, 3), "x": (3, 2, 0, 2)}


@settings(max_examples=80, deadline=None)
@given(plans())
def test_the_chain_leads_without_a_break_to_the_last_end(plan: Plan) -> None:
    analysis = analyse(plan)
    if not plan.tasks:
        assert analysis.chain == ()
        return
    chain_ = analysis.chain
    loads = {(w.source, w.target) for w in fixed_waits(plan) if w.kind is WaitKind.LOAD}

    assert chain_[-1].end == plan.measures.makespan
    assert chain_[0].after is None
    for before, link in pairwise(chain_):
        assert link.after == before.task
        assert link.start == before.end + link.gap or (before.task, link.task) in loads
        assert (link.gap > 0) == (link.reason in (Reason.CEILING, Reason.HELD))
        if link.reason in (Reason.DATA, Reason.AFTER, Reason.REUSE):
            kinds = {(e.kind.value, e.via) for e in plan.edges if (e.source, e.target) == (before.task, link.task)}
            assert (link.reason.value, link.via) in kinds
        if link.reason is Reason.EXCLUSIVE:
            assert {int(link.via or -1)} <= set(plan.task[before.task].partitions) & set(
                plan.task[link.task].partitions
            )
    if chain_[0].gap == 0 and all(link.gap == 0 for link in chain_):
        assert analysis.longest_path == plan.measures.makespan


@settings(max_examples=80, deadline=None)
@given(plans())
def test_every_tick_of_every_worker_is_work_or_a_wait(plan: Plan) -> None:
    analysis = analyse(plan)
    for worker in analysis.idle:
        assert worker.busy + sum(worker.waited.values()) == plan.measures.makespan
    demanded = sum(t.duration * t.demand("workers") for t in plan.problem.tasks)
    assert sum(worker.busy for worker in analysis.idle) == demanded
    used = sum(worker.worker >= 0 for worker in analysis.idle)
    assert used + analysis.unused == plan.problem.capacity_of("workers")


@settings(max_examples=80, deadline=None)
@given(plans())
def test_every_relief_is_a_valid_plan_of_the_richer_problem(plan: Plan) -> None:
    analysis = analyse(plan)
    starts = compressed(plan)
    reliefs = {(r.kind, r.name): r for r in analysis.reliefs}
    for kind, name, _, more in richer(plan.problem):
        again = earliest_starts(Conditions.of(plan, problem=more), in_order(starts))
        extents = {r.buffer: r.extents for r in plan.regions}
        better = assemble(more, again, extents, plan.slices, plan.proof, integrity=plan.integrity)
        assert violations(replace(better, proof=honest_proof(better))) == []
        relief = reliefs[kind, name]
        assert relief.makespan == better.measures.makespan
        assert 0 <= relief.gain <= relief.at_most
        assert relief.gain == analysis.compressed - relief.makespan


@settings(max_examples=80, deadline=None)
@given(plans())
def test_own_bytes_make_a_valid_plan_in_which_the_buffer_takes_over_nothing(plan: Plan) -> None:
    if any(len(r.extents) > 1 for r in plan.regions):
        return
    for r in plan.regions:
        roomier = with_own_bytes(plan, [r.buffer], r.extents[0].partition)
        assert violations(replace(roomier, proof=honest_proof(roomier))) == []
        assert not roomier.takes_over[roomier.region_of[r.buffer].id]
        assert roomier.measures.footprint <= plan.measures.footprint + r.length
        assert roomier.measures.makespan <= plan.measures.makespan
        last = plan.problem.workspace.partitions - 1
        elsewhere = with_own_bytes(plan, [r.buffer, *(q.buffer for q in plan.regions[:1] if q is not r)], last)
        assert violations(replace(elsewhere, proof=honest_proof(elsewhere))) == []


@settings(max_examples=80, deadline=None)
@given(plans())
def test_steps_of_own_bytes_never_lose_and_cost_what_they_say(plan: Plan) -> None:
    analysis = analyse(plan)
    current, gained = moved(plan, compressed(plan)), 0
    for step in analysis.own_bytes:
        current = with_own_bytes(current, step.buffers, step.partition)
        assert (step.makespan, step.footprint) == (
            current.measures.makespan,
            current.measures.footprint - plan.measures.footprint,
        )
        assert step.gain == analysis.compressed - step.makespan >= gained
        gained = step.gain


def two_chains(workers: int = 2) -> Plan:
    """``a`` (3 ticks); beside it ``b`` (1), whose bytes ``c`` (4) takes over; ``d`` (1) reads what a and c wrote."""
    question = problem(
        task("a", "", "x", duration=3),
        task("b", "", "y", duration=1),
        task("c", "", "z", duration=4, after="b"),
        task("d", "x z", "w", duration=1),
        workers=workers,
        sizes={"x": 1, "y": 2, "z": 2, "w": 1},
    )
    return planned(question, at(a=0, b=0, c=1, d=5), places(x=(0, 1), y=(1, 2), z=(1, 2), w=(3, 1)))


def test_chain_slack_and_speedups_of_a_small_plan() -> None:
    analysis = analyse(two_chains())

    assert [(link.task, link.reason, link.via) for link in analysis.chain] == [
        ("b", Reason.START, None),
        ("c", Reason.AFTER, None),
        ("d", Reason.DATA, "z"),
    ]
    assert dict(analysis.slack) == {"a": 2, "b": 0, "c": 0, "d": 0}
    # c can become 2 ticks faster before a decides instead; b and d last one tick, which no task can undercut.
    assert dict(analysis.speedup) == {"a": 0, "b": 0, "c": 2, "d": 0}
    assert analysis.longest_path == analysis.compressed == analysis.makespan == 6


def test_reuse_is_named_with_the_buffer_and_own_bytes_are_the_relief() -> None:
    """``b`` takes over the bytes of ``x``: it waits for a although it reads nothing of it."""
    question = problem(task("a", "", "x", duration=5), task("b", "", "y", duration=4), sizes=8, workers=2)
    question = replace(question, workspace=Workspace(Bytes(8), 1, 1, Isolation.SHARED))
    plan = planned(question, at(a=0, b=5), places(x=(0, 8), y=(0, 8)))

    analysis = analyse(plan)

    assert [(link.task, link.reason, link.via) for link in analysis.chain] == [
        ("a", Reason.START, None),
        ("b", Reason.REUSE, "x"),
    ]
    assert analysis.own_bytes == (OwnBytes("b", ("y",), 0, 8, 4, 5),)
    assert {r.gain for r in analysis.reliefs} == {0}
    # b would wait for a in any case, so it runs on the worker that a has just left; the other one never works.
    assert [(w.worker, dict(w.waited)) for w in analysis.idle] == [(0, {}), (-1, {Cause.MEMORY: 5, Cause.NOTHING: 4})]


def test_where_another_writer_is_in_the_way_too_the_bytes_lie_in_a_quiet_partition() -> None:
    question = problem(task("a", "", "x", duration=5), task("b", "", "y", duration=4), sizes=8, workers=2)
    question = replace(question, workspace=Workspace(Bytes(16), 2, 1, Isolation.EXCLUSIVE))
    plan = planned(question, at(a=0, b=5), places(x=(0, 8), y=(0, 8)))

    analysis = analyse(plan)

    assert (analysis.chain[-1].reason, analysis.chain[-1].also) == (Reason.EXCLUSIVE, (Reason.REUSE,))
    assert analysis.own_bytes == (OwnBytes("b", ("y",), 1, 8, 4, 5),)


def test_one_worker_more_is_worth_what_two_independent_tasks_overlap() -> None:
    question = problem(task("a", "", "x", duration=5), task("b", "", "y", duration=4), workers=1)
    plan = planned(question, at(a=0, b=5), places(x=(0, 1), y=(1, 1)))

    analysis = analyse(plan)

    assert [(link.reason, link.via) for link in analysis.chain] == [(Reason.START, None), (Reason.RESOURCE, "workers")]
    assert [(r.kind, r.name, r.gain, r.at_most) for r in analysis.reliefs] == [("resource", "workers", 4, 4)]


def test_exclusive_partitions_are_named_and_sharing_them_is_the_relief() -> None:
    question = problem(task("a", "", "x", duration=5), task("b", "", "y", duration=4), workers=2)
    question = replace(question, workspace=Workspace(Bytes(8), 1, 1, Isolation.EXCLUSIVE))
    plan = planned(question, at(a=0, b=5), places(x=(0, 1), y=(1, 1)))

    analysis = analyse(plan)

    assert [(link.reason, link.via) for link in analysis.chain] == [(Reason.START, None), (Reason.EXCLUSIVE, "0")]
    assert [(r.kind, r.name, r.gain) for r in analysis.reliefs] == [
        ("isolation", "shared", 4),
        ("resource", "workers", 0),
    ]
    assert [dict(w.waited) for w in analysis.idle] == [{Cause.NOTHING: 4}, {Cause.PARTITION: 5}]


@pytest.mark.parametrize(("room", "reason"), [(2, Reason.CEILING), (4, Reason.HELD)])
def test_a_start_that_nothing_forces_is_explained_by_the_ceiling_or_not_at_all(room: int, reason: Reason) -> None:
    """``b`` has bytes of its own and starts when ``x`` dies; only where there are no more than two is that a reason."""
    question = problem(task("a", "", "x y", duration=5), task("b", "", "z", duration=4), workers=2)
    question = replace(question, workspace=Workspace(Bytes(4), 1, 1, Isolation.SHARED))
    where = places(x=(0, 1), y=(1, 1), z=(2, 1))
    plan = planned(question, at(a=0, b=5), where, objective=Objective.MAKESPAN, target=1 - room / 3 if room < 3 else 0)

    analysis = analyse(plan)

    assert (analysis.chain[-1].reason, analysis.chain[-1].gap) == (reason, 5)
    assert analysis.longest_path == 5
    assert analysis.compressed == 5


def test_a_plan_without_tasks_has_nothing_to_explain() -> None:
    question = Problem("empty", (), (), Workspace(Bytes(64), 1, 1, Isolation.SHARED), (("workers", 2),))
    analysis = analyse(planned(question, {}, {}))

    assert (analysis.makespan, analysis.chain, analysis.idle, analysis.unused) == (0, (), (), 2)


def test_fullest_moments_and_who_is_alive_in_all_of_them() -> None:
    plan = planned(chain(4, size=2), at(t1=0, t2=1, t3=2, t4=3), places(b1=(0, 2), b2=(2, 2), b3=(0, 2), b4=(2, 2)))
    analysis = analyse(plan)

    # Two neighbours live from tick 1 to the end; b2 and b3 together cover it, neither alone does.
    assert [(s.begin, s.end, s.live) for s in analysis.fullest] == [(1, 4, 4)]
    assert fullest([]) == ()
    assert set(analysis.throughout) == {"b1", "b2", "b3", "b4"}


@settings(max_examples=40, deadline=None)
@given(plans())
def test_what_the_runtime_must_wait_for_is_never_longer_than_the_plan(plan: Plan) -> None:
    analysis: Analysis = analyse(plan)

    assert analysis.by_edges <= analysis.compressed <= analysis.makespan
    assert analysis.longest_path <= analysis.makespan
    assert {e.kind for e in plan.edges} <= set(EdgeKind)
    assert set(analysis.slack) == set(starts_of(plan))
