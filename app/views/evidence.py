"""What was proved, by whom, and how far that can be checked: grades of evidence and arguments in plain words."""

from __future__ import annotations

from ..bound import Proved

GRADES = {
    "CERTIFICATE": "Anybody can check it without a search, by adding up named buffers",
    "EXHAUSTIVE": "A search of this program went through everything below and ended; to check it is to search again",
    "SOLVER_CLAIM": "It is the word of a solver that refuted everything below, and nothing here can check it",
}
"""What each grade is worth."""

ARGUMENTS = {
    "working_set": "the inputs, outputs and scratch of one task exist while it runs",
    "through_set": "beside what one task touches, what was written before it and is read after it exists while it runs",
    "min_cut": "the cheapest set of buffers that can be alive while one task runs, found as a minimum cut",
    "pool_sum": "slices of pools are disjoint, so what each pool needs by itself adds up",
    "order_search": "every order of the tasks was gone through, from both ends, and none stays below",
    "precedence_branching": "whichever of certain tasks run first, the cheapest moments of some of them need as much",
    "cp_sat": "no order of the tasks stays below",
}
"""What each method shows. Other methods are named only."""

SCOPE = (
    "every plan without recomputation or spilling, parallel ones included, whatever the number of workers: running its "
    "tasks one by one in order of their ends needs no more bytes"
)
"""For whom a bound on orders holds."""


def meaning(bound: Proved) -> str:
    """``CERTIFICATE by working_set: ...`` in one sentence, with the solver and its parameters where one was asked."""
    argument = ARGUMENTS.get(bound.method)
    solver = ""
    if bound.evidence == "SOLVER_CLAIM":
        known = [(name, bound.witness.get(name)) for name in ("solver", "version", "seed", "workers", "limit_s")]
        solver = " (" + ", ".join(f"{name} {value}" for name, value in known if value is not None) + ")"
    shown = f": {argument}" if argument else ""
    return f"{bound.evidence} by {bound.method}{shown}. {GRADES[bound.evidence]}{solver}."
