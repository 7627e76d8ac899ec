"""Good plans and the ways to damage them: each way breaks one rule, which must be named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from catalytic.solver.plan import (
    Action,
    Bound,
    Edge,
    EdgeKind,
    Evidence,
    Extent,
    Lifetime,
    Objective,
    Plan,
    PoolSlice,
    Region,
    ReuseEvent,
    ScheduledTask,
    Status,
    TakeOver,
)
from catalytic.solver.problem import Buffer, InputPolicy, Isolation, Policy, Pool, Problem, Workspace
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, planned, problem, task


def rich() -> Plan:
    """A lazy input, two pools, in place, a buffer over two partitions, scratch, a kept output, exclusive writers.

    ::

        partition 0 (16 bytes)   ext, then l, then m in place of l, then z
        partition 1, 2           a, then huge over both
        partition 3              pool text: r and the scratch of right
    """
    tasks = (
        task("load", "ext", "a", duration=2),
        task("left", "a", "l", duration=2),
        replace(task("right", "a", "r", duration=3, scratch=4), demands=(("cpu", 2),)),
        replace(task("merge", "l r", "m", duration=2), in_place=(("m", "l"),)),
        task("big", "m", "huge", duration=2, after="right"),
        task("last", "huge", "z", duration=1),
    )
    sizes = {"ext": 8, "a": 8, "l": 8, "r": 4, "m": 8, "huge": 24, "z": 4}
    question = Problem(
        name="rich",
        tasks=tasks,
        buffers=tuple(Buffer(b, Bytes(n), "text" if b == "r" else None, keep=b == "z") for b, n in sizes.items()),
        workspace=Workspace(Bytes(64), 4, 4, Isolation.EXCLUSIVE),
        resources=(("cpu", 2), ("workers", 2)),
        policy=Policy(InputPolicy.LAZY),
        pools=(Pool("texts", "text", size=Bytes(8)),),
    )
    starts = {"load": 0, "left": 2, "right": 2, "merge": 5, "big": 7, "last": 9}
    places = {
        "ext": [(0, 0, 8)], "a": [(1, 0, 8)], "l": [(0, 0, 8)], "r": [(3, 0, 4)], "scratch:right": [(3, 4, 4)],
        "m": [(0, 0, 8)], "huge": [(1, 0, 16), (2, 0, 8)], "z": [(0, 0, 4)],
    }  # fmt: skip
    return _planned(question, starts, places)


def plain() -> Plan:
    """A chain of four in half its bytes: a reuse factor of exactly the target 0.5, with every kind of certificate."""
    question = replace(chain(4, size=4), workspace=Workspace(Bytes(8), 1, 1, Isolation.SHARED))
    starts = {"t1": 0, "t2": 1, "t3": 2, "t4": 3}
    places = {"b1": [(0, 0, 4)], "b2": [(0, 4, 4)], "b3": [(0, 0, 4)], "b4": [(0, 4, 4)]}
    return _planned(question, starts, places, target=0.5)


def strangers() -> Plan:
    """Two tasks that have nothing to do with each other but the bytes that the second takes over."""
    question = replace(
        problem(task("one", "", "x"), task("two", "", "y"), sizes=4),
        workspace=Workspace(Bytes(8), 1, 1, Isolation.SHARED),
    )
    return _planned(question, {"one": 0, "two": 1}, {"x": [(0, 0, 4)], "y": [(0, 0, 4)]})


def passing() -> Plan:
    """``x`` exists while ``b`` runs, which has nothing to do with it: it was written before and is read after.

    ``w`` is read after ``b`` too, but need not be written before.
    """
    tasks = (
        task("a", "", "x"),
        task("b", "", "y", after="a"),
        task("c", "x w", "z", after="b"),
        task("d", "", "w"),
    )
    question = replace(problem(*tasks, sizes=4), workspace=Workspace(Bytes(12), 1, 1, Isolation.SHARED))
    places = {"x": [(0, 0, 4)], "y": [(0, 4, 4)], "z": [(0, 4, 4)], "w": [(0, 8, 4)]}
    return _planned(question, {"a": 0, "b": 1, "c": 2, "d": 1}, places)


def surviving() -> Plan:
    """``x`` must survive the run, whose last task may write ``y`` in place of it (and does not)."""
    tasks = (task("a", "", "x"), replace(task("b", "x", "y"), in_place=(("y", "x"),)))
    question = replace(
        problem(*tasks), buffers=(Buffer("x", Bytes(4), keep=True), Buffer("y", Bytes(4))),
        workspace=Workspace(Bytes(8), 1, 1, Isolation.SHARED),
    )  # fmt: skip
    return _planned(question, {"a": 0, "b": 1}, {"x": [(0, 0, 4)], "y": [(0, 4, 4)]})


def waiting() -> Plan:
    """While ``b`` runs, ``m`` has run or not: either ``p`` or the ``q`` that it writes from ``p`` is alive."""
    tasks = (task("a", "", "x p"), task("b", "x", "y"), task("m", "p", "q"), task("c", "y q", "z"))
    question = replace(
        problem(*tasks, sizes={"x": 8, "y": 8, "p": 4, "q": 4, "z": 4}),
        workspace=Workspace(Bytes(20), 1, 1, Isolation.SHARED),
    )
    places = {"x": [(0, 0, 8)], "p": [(0, 8, 4)], "y": [(0, 12, 8)], "q": [(0, 0, 4)], "z": [(0, 8, 4)]}
    plan = _planned(question, {"a": 0, "b": 1, "m": 2, "c": 3}, places)
    return claiming(plan, Bound("peak_live", 20, "min_cut", Evidence.CERTIFICATE, _cut("b", "p q", [4, 0, 1])))


def pooled() -> Plan:
    """The rich plan, whose two pools need 32 and 8 bytes at different times: its footprint is proved least."""
    parts = {
        "default": {"method": "working_set", "task": "big", "buffers": ["huge", "m"]},
        "texts": {"method": "through_set", "task": "right", "buffers": ["r", "scratch:right"]},
    }
    return claiming(rich(), Bound("footprint", 40, "pool_sum", Evidence.CERTIFICATE, {"pools": parts}))


def _cut(task: str, buffers: str, *chains: list[int]) -> dict[str, object]:
    """A min-cut witness, its buffers given as words."""
    return {"task": task, "buffers": buffers.split(), "chains": list(chains)}


def claiming(plan: Plan, *bounds: Bound) -> Plan:
    """``plan`` with further bounds on its bytes, and the verdict that follows."""
    proof, m = plan.proof, plan.measures
    least = max((b.value for b in (*proof.bounds, *bounds) if b.quantity != "makespan"), default=0)
    gap = proof.gap
    if proof.objective is Objective.REUSE:
        gap = (m.footprint - least) / m.footprint if m.footprint else 0.0
    proof = replace(
        proof,
        bounds=(*proof.bounds, *bounds),
        largest_reuse_factor=1 - least / m.allocated if m.allocated and least else proof.largest_reuse_factor,
        gap=gap,
        status=Status.OPTIMAL if gap == 0 else Status.FEASIBLE,
    )
    return replace(plan, proof=proof)


def _planned(
    question: Problem,
    starts: dict[str, int],
    places: dict[str, list[tuple[int, int, int]]],
    target: float | None = None,
) -> Plan:
    extents = {b: [Extent(p, Bytes(o), Bytes(n)) for p, o, n in where] for b, where in places.items()}
    return planned(question, {t: Tick(s) for t, s in starts.items()}, extents, target=target)


@dataclass(frozen=True)
class Damage:
    """``inflict`` breaks ``rule`` of the plan that ``victim`` gives."""

    name: str
    rule: str
    victim: Callable[[], Plan]
    inflict: Callable[[Plan], Plan]


def _region(buffer: str, change: Callable[[Region], Region]) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, regions=tuple(change(r) if r.buffer == buffer else r for r in p.regions))


def _extents(buffer: str, *where: tuple[int, int, int]) -> Callable[[Plan], Plan]:
    extents = tuple(Extent(p, Bytes(o), Bytes(n)) for p, o, n in where)
    return _region(buffer, lambda r: replace(r, extents=extents))


def _moved(**places: tuple[int, int, int]) -> Callable[[Plan], Plan]:
    """Put buffers elsewhere and derive everything else again, so that only the place is wrong."""

    def move(p: Plan) -> Plan:
        extents = {r.buffer: r.extents for r in p.regions}
        for name, (partition, offset, length) in places.items():
            extents[name.replace("scratch_", "scratch:")] = (Extent(partition, Bytes(offset), Bytes(length)),)
        return planned(p.problem, {t.id: t.start for t in p.tasks}, extents)

    return move


def _task(name: str, change: Callable[[ScheduledTask], ScheduledTask]) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, tasks=tuple(change(t) if t.id == name else t for t in p.tasks))


def _slice(pool: str, partition: int, change: Callable[[PoolSlice], PoolSlice]) -> Callable[[Plan], Plan]:
    return lambda p: replace(
        p, slices=tuple(change(s) if (s.pool, s.partition) == (pool, partition) else s for s in p.slices)
    )


def _more_slices(*slices: PoolSlice) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, slices=tuple(sorted((*p.slices, *slices), key=lambda s: (s.pool, s.partition))))


def _without_edges(keep: Callable[[Edge], bool]) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, edges=tuple(e for e in p.edges if keep(e)))


def _more_edges(*edges: Edge) -> Callable[[Plan], Plan]:
    order = lambda e: (e.source, e.target, e.kind, e.via or "")  # noqa: E731
    return lambda p: replace(p, edges=tuple(sorted((*p.edges, *edges), key=order)))


def _event(action: Action, change: Callable[[ReuseEvent], ReuseEvent | None]) -> Callable[[Plan], Plan]:
    """Change (or leave out) the first event of a kind."""

    def apply(p: Plan) -> Plan:
        first = next(e for e in p.events if e.action is action)
        changed = [change(e) if e is first else e for e in p.events]
        return replace(p, events=tuple(e for e in changed if e is not None))

    return apply


def _measure(**values: object) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, measures=replace(p.measures, **values))  # type: ignore[arg-type]


def _proof(**values: object) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, proof=replace(p.proof, **values))  # type: ignore[arg-type]


def _bound(method: str, **values: object) -> Callable[[Plan], Plan]:
    def apply(p: Plan) -> Plan:
        bounds = tuple(
            replace(b, **values) if b.method == method else b  # type: ignore[arg-type]
            for b in p.proof.bounds
        )
        return replace(p, proof=replace(p.proof, bounds=bounds))

    return apply


def _claim(*bounds: Bound) -> Callable[[Plan], Plan]:
    return lambda p: replace(p, proof=replace(p.proof, bounds=(*p.proof.bounds, *bounds)))


def _set_claim(method: str, value: int, task: str, *buffers: str) -> Callable[[Plan], Plan]:
    """One more bound on the peak: these buffers exist while the task runs."""
    witness = {"task": task, "buffers": buffers}
    return _claim(Bound("peak_live", value, method, Evidence.CERTIFICATE, witness))


def _moment(**changes: object) -> Callable[[Plan], Plan]:
    """Another witness in the place of that of the plan that waits."""
    return _bound("min_cut", witness=_cut("b", "p q", [4, 0, 1]) | changes)


def _parts(**changes: object) -> Callable[[Plan], Plan]:
    """Other witnesses for some pools of the pooled plan."""

    def apply(p: Plan) -> Plan:
        (parts,) = (dict(b.witness["pools"]) for b in p.proof.bounds if b.method == "pool_sum")  # type: ignore[call-overload]
        return _bound("pool_sum", witness={"pools": parts | changes})(p)

    return apply


def _asked(**values: object) -> Callable[[Plan], Plan]:
    """Another question under the same answer."""
    return lambda p: replace(p, problem=replace(p.problem, **values))  # type: ignore[arg-type]


def _forbid_in_place(p: Plan) -> Plan:
    return replace(p, problem=replace(p.problem, tasks=tuple(replace(t, in_place=()) for t in p.problem.tasks)))


def _another_reader(p: Plan) -> Plan:
    """``big`` reads ``l`` too, which ``merge`` has taken over in place by then."""
    tasks = tuple(replace(t, inputs=(*t.inputs, "l")) if t.id == "big" else t for t in p.problem.tasks)
    question = replace(p.problem, tasks=tasks)
    return planned(question, {t.id: t.start for t in p.tasks}, {r.buffer: r.extents for r in p.regions})


ONE_WORKER = (("cpu", 2), ("workers", 1))

DAMAGES = (
    Damage("a task is missing", "tasks", rich, lambda p: replace(p, tasks=p.tasks[1:])),
    Damage("a task is given twice", "tasks", rich, lambda p: replace(p, tasks=(p.tasks[0], *p.tasks))),
    Damage("a task is unknown", "tasks", rich, _task("left", lambda t: replace(t, id="lefty"))),
    Damage("a task is too long", "tasks", rich, _task("last", lambda t: replace(t, end=Tick(t.end + 1)))),
    Damage("a region is missing", "regions", rich, lambda p: replace(p, regions=p.regions[1:])),
    Damage("a region is of an unknown buffer", "regions", rich, _region("a", lambda r: replace(r, buffer="b"))),
    Damage("a region id is given twice", "regions", rich, _region("a", lambda r: replace(r, id="region_002"))),
    Damage("regions in another order", "canonical", rich, lambda p: replace(p, regions=p.regions[::-1])),
    Damage("edges in another order", "canonical", rich, lambda p: replace(p, edges=p.edges[::-1])),
    Damage("events in another order", "canonical", rich, lambda p: replace(p, events=p.events[::-1])),
    Damage("a task starts before its input is written", "precedence", rich,
           _task("left", lambda t: replace(t, start=Tick(1), end=Tick(3)))),
    Damage("more workers than there are", "resources", rich, _asked(resources=ONE_WORKER)),
    Damage("a buffer dies too early", "lifetime", rich,
           _region("a", lambda r: replace(r, lifetime=Lifetime(Tick(0), Tick(4))))),
    Damage("a kept buffer dies", "lifetime", rich,
           _region("z", lambda r: replace(r, lifetime=Lifetime(Tick(9), Tick(11))))),
    Damage("a partition that does not exist", "partition", rich, _extents("a", (4, 0, 8))),
    Damage("an extent behind the end of its partition", "partition", rich, _extents("a", (1, 12, 8))),
    Damage("an offset below zero", "partition", rich, _extents("a", (1, -4, 8))),
    Damage("an offset that is not aligned", "alignment", rich, _extents("a", (1, 2, 8))),
    Damage("a region that is too short", "size", rich, _extents("a", (1, 0, 4))),
    Damage("a region without extents", "size", rich, _extents("a")),
    Damage("a small buffer in two pieces", "spanning", rich, _extents("a", (1, 0, 4), (1, 4, 4))),
    Damage("a spanning buffer runs backwards", "spanning", rich, _extents("huge", (2, 0, 16), (1, 0, 8))),
    Damage("a spanning buffer begins inside a partition", "spanning", rich, _extents("huge", (1, 4, 12), (2, 0, 12))),
    Damage("a pool with two slices in one partition", "pools", rich,
           _more_slices(PoolSlice("default", 0, Bytes(12), Bytes(4)))),
    Damage("slices that overlap", "pools", rich, _slice("texts", 3, lambda s: replace(s, partition=0))),
    Damage("a slice that does not hold its regions", "pools", rich,
           _slice("texts", 3, lambda s: replace(s, size=Bytes(4)))),
    Damage("a slice behind the end of its partition", "pools", rich,
           _slice("texts", 3, lambda s: replace(s, size=Bytes(20)))),
    Damage("a slice that is not aligned", "alignment", rich, _slice("texts", 3, lambda s: replace(s, size=Bytes(10)))),
    Damage("a slice of a pool that holds nothing", "pools", rich,
           _more_slices(PoolSlice("void", 2, Bytes(12), Bytes(4)))),
    Damage("a pool above its limit", "pools", rich, _asked(pools=(Pool("texts", "text", size=Bytes(4)),))),
    Damage("a region in the wrong pool", "pools", rich, _region("a", lambda r: replace(r, pool="texts"))),
    Damage("living buffers share bytes", "overlap", rich, _moved(a=(0, 0, 8))),
    Damage("living buffers share a single unit", "overlap", rich, _moved(scratch_right=(3, 0, 4))),
    Damage("in place without permission", "overlap", rich, _forbid_in_place),
    Damage("in place under a reader", "in_place", rich, _another_reader),
    Damage("in place of what must survive", "in_place", surviving, _moved(y=(0, 0, 4))),
    Damage("two writers in one partition", "exclusive", rich, _moved(r=(0, 8, 4), scratch_right=(0, 12, 4))),
    Damage("a partition is not held", "partitions", rich, _task("left", lambda t: replace(t, partitions=()))),
    Damage("a data edge is missing", "edges", rich, _without_edges(lambda e: e.via != "huge")),
    Damage("an after edge is missing", "edges", rich, _without_edges(lambda e: e.kind is not EdgeKind.AFTER)),
    Damage("an edge against the times", "edges", rich, _more_edges(Edge("merge", "left", EdgeKind.REUSE, "ext"))),
    Damage("a cycle of edges", "edges", rich, _more_edges(Edge("last", "load", EdgeKind.EXCLUSIVE, "0"))),
    Damage("an edge without a reason", "edges", rich, _more_edges(Edge("load", "last", EdgeKind.REUSE, "r"))),
    Damage("an edge is given twice", "edges", rich, lambda p: _more_edges(p.edges[0])(p)),
    Damage("an edge of an unknown task", "edges", rich, _more_edges(Edge("load", "nobody", EdgeKind.AFTER))),
    Damage("an exclusive edge for no partition", "edges", rich,
           _more_edges(Edge("left", "merge", EdgeKind.EXCLUSIVE, "3"))),
    Damage("a resource edge for no demand", "edges", rich,
           _more_edges(Edge("left", "merge", EdgeKind.RESOURCE, "cpu"))),
    Damage("nobody waits for the last owner", "reuse", strangers, lambda p: replace(p, edges=())),
    Damage("an event is missing", "events", rich, _event(Action.RELEASE, lambda e: None)),
    Damage("an event at another time", "events", rich,
           _event(Action.RELEASE, lambda e: replace(e, timestamp=Tick(e.timestamp + 1)))),
    Damage("an event of another task", "events", rich, _event(Action.REUSE, lambda e: replace(e, task="right"))),
    Damage("a takeover of too many bytes", "events", rich,
           _event(Action.REUSE, lambda e: replace(e, takes_over=(TakeOver(e.takes_over[0].region, Bytes(9)),)))),
    Damage("a takeover from the wrong region", "events", rich,
           _event(Action.REUSE, lambda e: replace(e, takes_over=(TakeOver(e.region, Bytes(8)),)))),
    Damage("a reuse that is called allocation", "events", rich,
           _event(Action.REUSE, lambda e: replace(e, action=Action.ALLOCATE))),
    Damage("a reuse without verification", "events", rich,
           _event(Action.REUSE, lambda e: replace(e, verification=None))),
    Damage("a region without a seal", "seal", rich, _region("a", lambda r: replace(r, seal=None))),
    Damage("seals without integrity", "seal", rich, lambda p: replace(p, integrity=False)),
    Damage("allocated is wrong", "measures", rich, _measure(allocated=Bytes(1))),
    Damage("the footprint is too small", "measures", rich, _measure(footprint=Bytes(1))),
    Damage("the reuse factor is too good", "measures", rich, _measure(reuse_factor=0.9)),
    Damage("the makespan is too short", "measures", rich, _measure(makespan=Tick(9))),
    Damage("the peak is too low", "measures", rich, _measure(peak_live=Bytes(4))),
    Damage("a working set proves less", "bounds", plain, _bound("working_set", value=9)),
    Damage("a working set with a stranger", "bounds", plain,
           _bound("working_set", witness={"task": "t2", "buffers": ["b1", "b2", "b4"]})),
    Damage("a working set that counts a buffer twice", "bounds", plain,
           _bound("working_set", witness={"task": "t2", "buffers": ["b1", "b1"]}, value=8)),
    Damage("a set through a task that its writer need not precede", "bounds", passing,
           _set_claim("through_set", 8, "b", "y", "w")),
    Damage("a set through a task that its readers need not follow", "bounds", passing,
           _set_claim("through_set", 8, "c", "z", "y")),
    Damage("a set through a task that proves less", "bounds", passing,
           _set_claim("through_set", 9, "b", "x", "y")),
    Damage("a working set that one byte less would fit", "bounds", rich,
           _set_claim("working_set", 29, "last", "huge", "z")),
    Damage("a working set that forgets what is written in place", "bounds", rich,
           _set_claim("working_set", 16, "merge", "l", "m")),
    Damage("a witness of the wrong form", "bounds", plain, _bound("working_set", witness={"task": ["t2"]})),
    Damage("a chain that skips an edge", "bounds", plain,
           _bound("critical_path", witness={"path": ["t1", "t3", "t4"]})),
    Damage("a chain that proves less", "bounds", plain, _bound("critical_path", witness={"path": ["t1", "t2"]})),
    Damage("an energy that proves less", "bounds", plain, _bound("resource_energy", value=4)),
    Damage("an unknown resource", "bounds", plain, _bound("resource_energy", witness={"resource": "luck"})),
    Damage("a ceiling below what the target leaves", "bounds", plain,
           _bound("memory_time_energy", witness={"ceiling": 7})),
    Damage("an energy over the ceiling that proves less", "bounds", plain, _bound("memory_time_energy", value=5)),
    Damage("a certificate of an unknown kind", "bounds", plain,
           _claim(Bound("makespan", 1, "revelation", Evidence.CERTIFICATE, {"by": "dream"}))),
    Damage("a claim without parameters", "bounds", plain,
           _claim(Bound("makespan", 1, "cp_sat", Evidence.SOLVER_CLAIM))),
    Damage("a claim that this plan refutes", "bounds", plain,
           _claim(Bound("peak_live", 9, "order_search", Evidence.EXHAUSTIVE, {"states": 3}))),
    Damage("a cut that proves less", "bounds", waiting, _bound("min_cut", value=21)),
    Damage("a chain of more bytes than a buffer has", "bounds", waiting, _moment(chains=[[5, 0, 1]])),
    Damage("two chains of more bytes than a buffer has", "bounds", waiting, _moment(chains=[[4, 0, 1], [1, 0, 1]])),
    Damage("a chain that adds nothing beside one that adds too much", "bounds", waiting,
           _moment(chains=[[8, 0, 1], [-4, 0, 1]])),
    Damage("a chain whose first buffer need not exist", "bounds", waiting, _moment(chains=[[4, 1]])),
    Damage("a chain whose last buffer nobody needs", "bounds", waiting, _moment(chains=[[4, 0]])),
    Damage("a chain with a gap", "bounds", waiting, _moment(buffers=["p", "z"])),
    Damage("a chain that runs backwards", "bounds", waiting, _moment(chains=[[4, 1, 0]])),
    Damage("a chain without buffers", "bounds", waiting, _moment(chains=[[4]])),
    Damage("a chain without bytes", "bounds", waiting, _moment(chains=[[0, 0, 1]])),
    Damage("a chain of fractions", "bounds", waiting, _moment(chains=[[4.0, 0, 1]])),
    Damage("a chain beyond the list of buffers", "bounds", waiting, _moment(chains=[[4, 0, 2]])),
    Damage("a chain before the list of buffers", "bounds", waiting, _moment(chains=[[4, -2, -1]])),
    Damage("chains that are none", "bounds", waiting, _moment(chains={"p": 4})),
    Damage("a cut of another task", "bounds", waiting, _moment(task="m")),
    Damage("a cut of an unknown task", "bounds", waiting, _moment(task="nobody")),
    Damage("a cut through an unknown buffer", "bounds", waiting, _moment(buffers=["p", "u"])),
    Damage("a cut that lists a buffer twice", "bounds", waiting, _moment(buffers=["p", "q", "p"])),
    Damage("a cut through what its task writes", "bounds", waiting, _moment(buffers=["p", "y"])),
    Damage("a cut through what may be taken over at once", "bounds", rich,
           _claim(Bound("peak_live", 20, "min_cut", Evidence.CERTIFICATE, _cut("merge", "l", [8, 0])))),
    Damage("a cut for the bytes of pools", "bounds", waiting,
           _claim(Bound("footprint", 20, "min_cut", Evidence.CERTIFICATE, _cut("b", "p q", [4, 0, 1])))),
    Damage("a pool that does not exist", "bounds", pooled, _parts(void=_cut("big", ""))),
    Damage("a pool with the moment of another", "bounds", pooled,
           _parts(texts=_cut("big", "") | {"method": "min_cut"})),
    Damage("a pool with a buffer of another", "bounds", pooled,
           _parts(texts={"method": "working_set", "task": "right", "buffers": ["r", "a"]})),
    Damage("a pool with a moment of another kind", "bounds", pooled, _parts(texts={"method": "critical_path"})),
    Damage("a pool without a witness", "bounds", pooled, _parts(texts="right")),
    Damage("pools in a list", "bounds", pooled, _bound("pool_sum", witness={"pools": ["texts"]})),
    Damage("pools that are not added up", "bounds", pooled, _bound("pool_sum", value=41)),
    Damage("pools that meet at one moment", "bounds", pooled, _bound("pool_sum", quantity="peak_live")),
    Damage("a footprint that this plan refutes", "bounds", pooled,
           _claim(Bound("footprint", 41, "order_search", Evidence.EXHAUSTIVE, {"states": 3}))),
    Damage("a largest factor that the pools forbid", "verdict", pooled, _proof(largest_reuse_factor=1 - 32 / 68)),
    Damage("optimal with a gap", "verdict", rich, _proof(status=Status.OPTIMAL)),
    Damage("a gap of nothing", "verdict", rich, _proof(gap=0.0)),
    Damage("too large a largest factor", "verdict", plain, _proof(largest_reuse_factor=0.6)),
    Damage("a least makespan without a bound", "verdict", plain, _proof(least_makespan=5)),
    Damage("infeasible without a proof", "verdict", plain, _proof(status=Status.INFEASIBLE)),
    Damage("the target is missed", "target", plain, _proof(target=0.6)),
    Damage("another objective", "verdict", rich, _proof(objective=Objective.MAKESPAN)),
)  # fmt: skip
