"""Problems whose least peak is known by hand, and what a search for orders answers without searching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from catalytic.solver.formats import dump_problem
from catalytic.solver.order.bounds import Force
from catalytic.solver.order.portfolio import LeastPeak
from catalytic.solver.order.profile import profile
from catalytic.solver.plan import Bound, Evidence
from catalytic.solver.problem import Buffer, Isolation, Pool, Problem, Task, Workspace
from catalytic.solver.units import Bytes, Tick

PAGE = 4096
ROOMY = Workspace(Bytes(64 * PAGE), 1, PAGE, Isolation.SHARED)


def pages(*tasks: Task, sizes: dict[str, int], workspace: Workspace = ROOMY) -> Problem:
    """A problem whose buffers have ``sizes`` in pages of the alignment."""
    return Problem(
        name="pages",
        tasks=tasks,
        buffers=tuple(Buffer(b, Bytes(n * PAGE)) for b, n in sizes.items()),
        workspace=workspace,
        resources=(("workers", 2),),
    )


def task(name: str, reads: str = "", writes: str = "", scratch: int = 0) -> Task:
    """A task whose inputs and outputs are given as words, with scratch in pages."""
    return Task(name, Tick(10), tuple(reads.split()), tuple(writes.split()), scratch=Bytes(scratch * PAGE))


def two_branches() -> Problem:
    """Two branches, each a large buffer that shrinks to a small one, then a join.

    One branch after the other: 8 + 1 pages while it shrinks, and 1 of the other one waits in the second: 10. No single
    moment shows more than 9: ``shrink`` with its input, its output, and nothing else that must exist.
    """
    return pages(
        task("grow-1", "", "big-1"),
        task("grow-2", "", "big-2"),
        task("shrink-1", "big-1", "small-1"),
        task("shrink-2", "big-2", "small-2"),
        task("join", "small-1 small-2", "end"),
        sizes={"big-1": 8, "big-2": 8, "small-1": 1, "small-2": 1, "end": 1},
    )


def two_pools() -> Problem:
    """Text peaks at 3 pages while ``b`` runs, images at 2 while ``d`` does; ``text`` may have 4."""
    return replace(
        pages(
            task("a", "", "t1"),
            task("b", "t1", "t2"),
            task("c", "t2", "i1"),
            task("d", "i1", "i2"),
            sizes={"t1": 1, "t2": 2, "i1": 1, "i2": 1},
        ),
        buffers=(
            Buffer("t1", Bytes(PAGE), "text"),
            Buffer("t2", Bytes(2 * PAGE), "text"),
            Buffer("i1", Bytes(PAGE), "image"),
            Buffer("i2", Bytes(PAGE), "image"),
        ),
        pools=(Pool("text", "text", None, Bytes(4 * PAGE)),),
    )


def written(problem: Problem, folder: Path) -> Path:
    """``problem`` as a file."""
    path = folder / "problem.json"
    path.write_bytes(dump_problem(problem))
    return path


def answered(
    problem: Problem,
    order: Sequence[str],
    lower: int,
    evidence: Evidence = Evidence.CERTIFICATE,
    force: Force | None = None,
) -> LeastPeak:
    """What the search answers when it found ``order`` and proved ``lower`` bytes."""
    peak = profile(problem, order).peak
    witness = {"solver": "CP-SAT", "seed": 7, "workers": 2} if evidence is Evidence.SOLVER_CLAIM else {}
    bound = Bound("peak_live", lower, "order_search", evidence, witness)
    return LeastPeak(tuple(order), peak, (bound,), force, order[-1], 0.5)
