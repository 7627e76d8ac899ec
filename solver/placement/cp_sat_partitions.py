"""CP-SAT for buffers in several partitions: which partition (a relaxation), and which byte of it (the whole question).

The relaxation forgets offsets: in each partition the living bytes of each pool stay below the height of its slice. What
it refutes has no placement. The whole question puts the partitions on one line of addresses, on which the domain of an
offset leaves out the places that straddle a border; it is for small questions, and what it refutes is refuted too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, gcd, lcm

from ortools.sat.python import cp_model

from ..budget import Budget
from .partition_question import Moment, Partitioned


@dataclass(frozen=True, slots=True)
class Verdict:
    """``partition`` (per block) and, from the whole question, ``offset``; or ``impossible``; or neither.

    ``bound``: bytes that the sum of the partitions' heights cannot undercut, by the solver's word; ``least``: whether
    no placement has a lower sum than this one.
    """

    partition: tuple[int, ...] | None
    offset: tuple[int, ...] | None
    impossible: bool
    bound: int
    least: bool


NOTHING_KNOWN = Verdict(None, None, impossible=False, bound=0, least=False)


class Leave:
    """Leave to go on until ``over()``: building a model asks for it, and another thread may ``stop`` the solver."""

    def __init__(self, over: Callable[[], bool] = lambda: False) -> None:
        self.over = over
        self._solver: cp_model.CpSolver | None = None

    def solve(self, solver: cp_model.CpSolver, model: cp_model.CpModel) -> int | None:
        """The status of ``model``; None when it is over before it begins."""
        self._solver = solver
        return None if self.over() else int(solver.solve(model))

    def stop(self) -> None:
        """End ``solve`` soon. A solver that is about to start may miss it: to be repeated until it has returned."""
        if self._solver is not None:
            self._solver.stop_search()


class _Places:
    """``begins[k, p]``: block ``k`` begins in partition ``p``. Shared by both models, with the rules about writers."""

    def __init__(self, question: Partitioned, blocks: Sequence[int], stretches: Sequence[Moment]) -> None:
        self.question, self.model = question, cp_model.CpModel()
        self.blocks = list(blocks)
        self.begins: dict[tuple[int, int], cp_model.IntVar] = {}
        for k in blocks:
            own = []
            for p in question.places[k]:
                self.begins[k, p] = self.model.new_bool_var(f"begins[{k},{p}]")
                own.append(self.begins[k, p])
            self.model.add_exactly_one(own)
        self.present: dict[tuple[int, int], list[tuple[int, cp_model.IntVar]]] = {}
        for (k, p), chosen in self.begins.items():
            for piece, size in question.pieces(question.blocks[k], p):
                self.present.setdefault((k, piece), []).append((size, chosen))
        for together in question.classes:
            inside = [k for k in together if (k, question.places[k][0]) in self.begins]
            for a, b in pairwise(inside):
                for p in range(len(question.partitions)):
                    one, two = self.begins.get((a, p)), self.begins.get((b, p))
                    if one is not None and two is not None:
                        self.model.add(one == two)
                    elif one is not None or two is not None:
                        self.model.add((one if one is not None else two) == 0)
        if question.exclusive:
            self._exclusive_writers({m.tasks for m in stretches})

    def _exclusive_writers(self, together: set[tuple[int, ...]]) -> None:
        """Tasks that run at once hold no partition in common: ``holds[a, p] + holds[b, p] <= 1``, by moments."""
        q, model = self.question, self.model
        holds: dict[tuple[int, int], cp_model.IntVar] = {}
        tasks = {t for running in together for t in running}
        for (k, p), chosen in self.begins.items():
            for task, size in q.blocks[k].written:
                for piece, _ in q.cut(size, p):
                    if task in tasks:
                        if (task, piece) not in holds:
                            holds[task, piece] = model.new_bool_var(f"holds[{task},{piece}]")
                        model.add_implication(chosen, holds[task, piece])
        for task in sorted(tasks - {t for t, _ in holds}):  # it writes only into blocks that are not asked about
            for p in range(len(q.partitions)):
                holds[task, p] = model.new_bool_var(f"holds[{task},{p}]")
            model.add_bool_or([holds[task, p] for p in range(len(q.partitions))])
        for running in sorted(together):
            for p in range(len(q.partitions)):
                own = [holds[t, p] for t in running if (t, p) in holds]
                if len(own) > 1:
                    model.add_at_most_one(own)

    def break_symmetry(self, order: Sequence[int]) -> None:
        """Where all partitions are alike they are numbered by the first block of ``order`` in them.

        So a block opens partition ``p`` only when one before it lies in ``p - 1``. Any placement can be renumbered so.
        """
        if not _alike(self.question):
            return
        parts = len(self.question.partitions)
        for i, k in enumerate(order[: 2 * parts]):
            for p in range(1, parts):
                before = [self.begins[j, p - 1] for j in order[:i]]
                self.model.add_bool_or([*before, self.begins[k, p].negated()])


def _alike(q: Partitioned) -> bool:
    """Whether exchanging two partitions changes nothing."""
    everywhere = tuple(range(len(q.partitions)))
    return len(set(q.partitions)) == 1 and all(
        places == everywhere and block.size <= q.partitions[0] for places, block in zip(q.places, q.blocks, strict=True)
    )


def _renumbered(q: Partitioned, order: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """``wanted`` with the partitions numbered as ``break_symmetry`` demands."""
    if not _alike(q):
        return list(wanted)
    number: dict[int, int] = {-1: -1}
    for k in order:
        if wanted[k] not in number:
            number[wanted[k]] = len(number) - 1
    return [number[p] for p in wanted]


def choose_partitions(
    question: Partitioned,
    seconds: float,
    budget: Budget,
    *,
    within: Sequence[Moment] | None = None,
    margin: dict[tuple[int, int], int] | None = None,
    wanted: Sequence[int] | None = None,
    minimise: bool = False,
    smallest: int = 0,
    leave: Leave | None = None,
) -> Verdict:
    """A partition for every block such that living bytes fit: a relaxation of the placement.

    ``within``: only what is alive and runs in these moments, and only then. ``margin``: bytes by (pool, partition)
    that the cell must leave free for holes; with it this is no relaxation any more. ``wanted``: a partition per block
    to start from. ``minimise``: the sum of the heights of the partitions.
    ``smallest``: blocks of fewer bytes are a liquid: they are not put anywhere, but the heights of their pool add up to
    all that lives of it, and their writers hold some partition. A weaker relaxation, and a much smaller model.
    """
    q, leave = question, leave or Leave()
    stretches = q.moments if within is None else within
    asked = range(len(q.blocks)) if within is None else sorted({k for m in stretches for k in m.blocks})
    blocks = [k for k in asked if q.blocks[k].size >= smallest]
    parts = len(q.partitions)
    unit = gcd(*q.partitions, *(q.blocks[k].size for k in asked), *(x or 0 for x in q.limits))
    places = _Places(q, blocks, stretches)
    model = places.model
    chosen = set(blocks)
    pools = sorted({q.blocks[k].pool for k in asked})
    height = {
        (pool, p): model.new_int_var(0, q.partitions[p] // unit, f"height[{pool},{p}]")
        for pool in pools
        for p in range(parts)
    }
    if len(blocks) < len(asked):
        for pool, live in _peaks(q, stretches).items():
            model.add(sum(height[pool, p] for p in range(parts)) >= live // unit)
    covered: set[tuple[int, tuple[int, ...]]] = set()
    for moment in stretches:
        if leave.over():
            return NOTHING_KNOWN
        for pool in pools:
            own = tuple(k for k in moment.blocks if k in chosen and q.blocks[k].pool == pool)
            if not own or (pool, own) in covered:
                continue
            covered.add((pool, own))
            for p in range(parts):
                terms = [size // unit * x for k in own for size, x in places.present.get((k, p), ())]
                if terms:
                    spare = -(-(margin or {}).get((pool, p), 0) // unit)
                    model.add(sum(terms) + spare <= height[pool, p])
    for p in range(parts):
        model.add(sum(height[pool, p] for pool in pools) <= q.partitions[p] // unit)
    for pool in pools:
        limit = q.limits[pool]
        if limit is not None:
            model.add(sum(height[pool, p] for p in range(parts)) <= limit // unit)
    order = _by_peak(q, blocks)
    if not margin:
        places.break_symmetry(order)
    if wanted is not None:
        for k, p in enumerate(_renumbered(q, order, wanted)):
            if k in chosen and p >= 0:
                for at in q.places[k]:
                    model.add_hint(places.begins[k, at], at == p)
    if minimise:
        model.minimize(sum(height.values()))
    return _asked(places, seconds, budget, unit, minimise, leave)


def place_exactly(
    question: Partitioned,
    seconds: float,
    budget: Budget,
    *,
    total: int | None,
    minimise: bool,
    leave: Leave | None = None,
) -> Verdict:
    """The whole question; ``total``: at most so many bytes in the sum of the partitions' heights.

    Rectangles ``life x [address, address + size)`` do not overlap on the line of all partitions; slices of pools are
    intervals that do not overlap in a partition and hold their blocks.
    """
    q, leave = question, leave or Leave()
    parts = len(q.partitions)
    grain = lcm(*(block.alignment for block in q.blocks))
    unit = gcd(grain, *q.partitions, *(b.size for b in q.blocks), *(x or 0 for x in q.limits))
    unit = gcd(unit, *(b.held_offset for b in q.blocks if b.held_offset > 0), *(b.alignment for b in q.blocks))
    # Partitions begin at multiples of every alignment, so that an address is aligned where its offset is.
    origin = [0, *accumulate(-(-size // grain) * grain for size in q.partitions)]
    places = _Places(q, range(len(q.blocks)), q.moments)
    model = places.model
    top = [model.new_int_var(0, size // unit, f"top[{p}]") for p, size in enumerate(q.partitions)]
    low: dict[tuple[int, int], cp_model.IntVar] = {}
    high: dict[tuple[int, int], cp_model.IntVar] = {}
    pools = sorted({block.pool for block in q.blocks})
    for p, size in enumerate(q.partitions):
        slices = []
        for pool in pools if len(pools) > 1 or any(x is not None for x in q.limits) else ():
            low[pool, p] = model.new_int_var(0, size // unit, f"low[{pool},{p}]")
            high[pool, p] = model.new_int_var(0, size // unit, f"high[{pool},{p}]")
            width = model.new_int_var(0, size // unit, f"width[{pool},{p}]")
            # A slice of no bytes lies anywhere: it is kept out of the others' way by its presence.
            used = model.new_bool_var(f"used[{pool},{p}]")
            own = [x for k, b in enumerate(q.blocks) if b.pool == pool for _, x in places.present.get((k, p), ())]
            for x in own:
                model.add_implication(x, used)
            slices.append(
                model.new_optional_interval_var(low[pool, p], width, high[pool, p], used, f"slice[{pool},{p}]")
            )
            model.add(width == 0).only_enforce_if(used.negated())
            model.add(width == high[pool, p] - low[pool, p])
        model.add_no_overlap(slices)
    life, extent = [], []
    offset: list[cp_model.IntVar] = []
    for k, block in enumerate(q.blocks):
        offset.append(model.new_int_var(0, max(q.partitions) // unit, f"offset[{k}]"))
        if block.alignment > unit:
            model.add_modulo_equality(0, offset[k], block.alignment // unit)
        if block.held_offset >= 0:
            model.add(offset[k] == block.held_offset // unit)
        for p in q.places[k]:
            here = places.begins[k, p]
            for piece, size in q.pieces(block, p):
                at = offset[k]
                if q.spans(block, p):
                    model.add(at == 0).only_enforce_if(here)
                end = at + size // unit
                model.add(end <= top[piece]).only_enforce_if(here)
                if (block.pool, piece) in low:
                    model.add(low[block.pool, piece] <= at).only_enforce_if(here)
                    model.add(end <= high[block.pool, piece]).only_enforce_if(here)
                if q.spans(block, p):
                    for a, z in block.lives:
                        life.append(model.new_optional_fixed_size_interval_var(a, z - a, here, f"life[{k},{p},{a}]"))
                        extent.append(
                            model.new_optional_fixed_size_interval_var(
                                origin[piece] // unit, size // unit, here, f"extent[{k},{p},{piece},{a}]"
                            )
                        )
        inside = [p for p in q.places[k] if not q.spans(block, p)]
        if not inside:
            continue
        lines = [[origin[p] // unit, (origin[p] + q.partitions[p] - block.size) // unit] for p in inside]
        lies = model.new_bool_var(f"lies[{k}]")
        model.add(sum(places.begins[k, p] for p in inside) == lies)
        address = model.new_int_var_from_domain(cp_model.Domain.from_intervals(lines), f"address[{k}]")
        for p in inside:
            model.add(address == offset[k] + origin[p] // unit).only_enforce_if(places.begins[k, p])
        for a, z in block.lives:
            life.append(model.new_optional_fixed_size_interval_var(a, z - a, lies, f"life[{k},{a}]"))
            extent.append(
                model.new_optional_fixed_size_interval_var(address, block.size // unit, lies, f"extent[{k},{a}]")
            )
    model.add_no_overlap_2d(life, extent)
    for pool in pools:
        limit = q.limits[pool]
        if limit is not None:
            model.add(sum(high[pool, p] - low[pool, p] for p in range(parts)) <= limit // unit)
    _living_bytes_below_tops(places, top, unit)
    places.break_symmetry(_by_peak(q, range(len(q.blocks))))
    if total is not None:
        model.add(sum(top) <= total // unit)
    if minimise:
        model.minimize(sum(top))
    return _asked(places, seconds, budget, unit, minimise, leave, offset)


def _living_bytes_below_tops(places: _Places, top: Sequence[cp_model.IntVar], unit: int) -> None:
    """Implied: what is alive at once in a partition lies below its top. CP-SAT refutes by it what rectangles hide."""
    q = places.question
    for moment in q.moments:
        for p in range(len(top)):
            terms = [size // unit * x for k in moment.blocks for size, x in places.present.get((k, p), ())]
            if terms:
                places.model.add(sum(terms) <= top[p])


def _peaks(q: Partitioned, stretches: Sequence[Moment]) -> dict[int, int]:
    """By pool, the most bytes of it that live at one of the moments."""
    peaks: dict[int, int] = {}
    for moment in stretches:
        live: dict[int, int] = {}
        for k in moment.blocks:
            live[q.blocks[k].pool] = live.get(q.blocks[k].pool, 0) + q.blocks[k].size
        for pool, size in live.items():
            peaks[pool] = max(peaks.get(pool, 0), size)
    return peaks


def _by_peak(q: Partitioned, blocks: Sequence[int]) -> list[int]:
    """Blocks of the moment with the most living bytes, largest first, then the others."""
    among = set(blocks)

    def live(moment: Moment) -> int:
        return sum(q.blocks[k].size for k in moment.blocks if k in among)

    peak = max(q.moments, key=live, default=None)
    at_peak = set(peak.blocks) if peak is not None else set()
    return sorted(blocks, key=lambda k: (k not in at_peak, -q.blocks[k].size, k))


def _asked(
    places: _Places,
    seconds: float,
    budget: Budget,
    unit: int,
    minimise: bool,
    leave: Leave,
    offset: Sequence[cp_model.IntVar] | None = None,
) -> Verdict:
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = budget.seed
    solver.parameters.num_workers = 1 if budget.deterministic else max(1, budget.workers)
    if budget.deterministic:
        solver.parameters.max_deterministic_time = seconds
    else:
        solver.parameters.max_time_in_seconds = max(0.01, min(seconds, budget.remaining_s()))
    status = leave.solve(solver, places.model)
    if status is None:
        return NOTHING_KNOWN
    if status == cp_model.MODEL_INVALID:
        raise AssertionError(f"the model is invalid: {places.model.validate()}")
    bound = 0
    if minimise and status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
        bound = max(0, ceil(solver.best_objective_bound - 1e-6)) * unit
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Verdict(None, None, status == cp_model.INFEASIBLE, bound, least=False)
    where = {k: p for (k, p), x in places.begins.items() if solver.boolean_value(x)}
    partition = tuple(where.get(k, -1) for k in range(len(places.question.blocks)))
    at = None if offset is None else tuple(int(solver.value(x)) * unit for x in offset)
    return Verdict(partition, at, impossible=False, bound=bound, least=minimise and status == cp_model.OPTIMAL)
