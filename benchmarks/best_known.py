"""Does a quick search still reach what is known of the instances that ship with the project? A table beside the record.

Claim: within seconds the planner reaches, or comes near to, the best values known of ``instances/``, and no answer of
it contradicts an older one. ``instances/best_known.json`` holds, per question, the best value with its maker, and the
best bound with its evidence: the value of every plan ever made is at least the bound, so a value below a bound, or a
bound above a value, means that one of the two programs is wrong. Then nothing is written, and the exit code is 5.

With ``--update`` what is better goes into the record: a lower value, a higher bound, or the same bound with stronger
evidence. Values are those of plans that the independent checker passed. ``--enumerate`` adds bounds of small instances
that share no code with the planner: all orders of the tasks, and all schedules, are gone through.

``--add INSTANCE`` asks a new question and records the answer.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

from catalytic.app.place import PlaceAnswer, place_file
from catalytic.app.placing import PlaceRequest
from catalytic.solver.budget import Budget
from catalytic.solver.check import violations
from catalytic.solver.formats import load_problem, problem_digest
from catalytic.solver.plan import Evidence, Objective, Status
from catalytic.solver.problem import InputPolicy, OutputPolicy, Problem
from catalytic.solver.solve import solve
from catalytic.solver.warm_up import warm_up

ROOT = Path(__file__).resolve().parents[1]
INSTANCES = ROOT / "instances"
RECORD = INSTANCES / "best_known.json"
FORMAT = "catalytic-best-known/1"

GRADES = (Evidence.SOLVER_CLAIM, Evidence.EXHAUSTIVE, Evidence.CERTIFICATE)
"""The weakest first."""

MOST_TASKS_TO_ENUMERATE = 12


@dataclass(frozen=True, slots=True)
class Who:
    """Where a value or a bound comes from: the program and its version, the method, the seconds it took, the day."""

    tool: str
    how: str
    seconds: float
    date: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an instance. A table of buffers with lifetimes has an arena and nothing else.

    ``measure``: ``footprint_bytes`` (objective reuse), ``makespan_ms`` (objective makespan, under the target if there
    is one) or ``height_bytes``. The rest is what the instance states, repeated so that a record can be read alone.
    """

    instance: str
    measure: str
    target: float | None = None
    size: int | None = None
    partitions: int | None = None
    alignment: int | None = None
    isolation: str | None = None
    workers: int | None = None
    inputs: str | None = None
    outputs: str | None = None

    @property
    def name(self) -> str:
        """A line that tells the question apart from others."""
        target = "" if self.target is None else f" within {self.target:g}"
        return f"{self.instance.removesuffix('.json')} {self.measure.partition('_')[0]}{target}"


@dataclass(frozen=True, slots=True)
class Known:
    """The best known of one question; smaller values are better. ``None``: not known.

    ``infeasible``: proved that no plan exists, by ``evidence``; then there is neither value nor bound. ``digest``: of
    the problem that is asked about, so that no record speaks of a file that has changed.
    """

    question: Question
    digest: str
    value: int | None = None
    value_by: Who | None = None
    bound: int | None = None
    evidence: Evidence | None = None
    bound_by: Who | None = None
    infeasible: bool = False


class Contradiction(Exception):
    """Two answers to one question cannot both be right."""


def merged(old: Known, new: Known) -> Known:
    """The better of two answers on each side; ``Contradiction`` when they exclude each other."""
    if (old.question, old.digest) != (new.question, new.digest):
        raise Contradiction(f"{old.question.name}: the instance has changed since it was recorded")
    for a, b in ((old, new), (new, old), (new, new)):
        if a.value is not None and b.bound is not None and a.value < b.bound:
            raise Contradiction(
                f"{a.question.name}: a plan of {a.value} ({_told(a.value_by)}), and {b.bound} is said to be the least "
                f"({b.evidence}, {_told(b.bound_by)})"
            )
        if a.value is not None and b.infeasible:
            raise Contradiction(
                f"{a.question.name}: a plan of {a.value} ({_told(a.value_by)}), and none is said to exist "
                f"({b.evidence}, {_told(b.bound_by)})"
            )
    best = old
    if new.value is not None and (old.value is None or new.value < old.value):
        best = replace(best, value=new.value, value_by=new.value_by)
    if new.infeasible and (not old.infeasible or _grade(new) > _grade(old)):
        best = replace(best, bound=None, evidence=new.evidence, bound_by=new.bound_by, infeasible=True)
    elif new.bound is not None and not old.infeasible:
        stronger = (new.bound, _grade(new)) > (old.bound if old.bound is not None else -1, _grade(old))
        if stronger:
            best = replace(best, bound=new.bound, evidence=new.evidence, bound_by=new.bound_by)
    return best


def _grade(known: Known) -> int:
    return GRADES.index(known.evidence) if known.evidence is not None else -1


def _told(who: Who | None) -> str:
    return "unknown" if who is None else f"{who.tool}, {who.how}, {who.date}"


# -- the file ----------------------------------------------------------------------------------------------------


def load(path: Path = RECORD) -> list[Known]:
    """Every record."""
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["format"] == FORMAT, document["format"]
    return [_known(record) for record in document["records"]]


def _known(record: Mapping[str, Any]) -> Known:
    def who(name: str) -> Who | None:
        return Who(**record[name]) if record.get(name) is not None else None

    question = Question(**record["question"])
    evidence = Evidence(record["evidence"]) if record.get("evidence") is not None else None
    value, bound, infeasible = record.get("value"), record.get("bound"), record.get("infeasible", False)
    return Known(question, record["digest"], value, who("value_by"), bound, evidence, who("bound_by"), infeasible)


def dump(known: Sequence[Known]) -> str:
    """The file's text: sorted, one line for each part of a record, nothing that is not known."""
    lines = []
    for one in sorted(known, key=lambda k: (k.question.instance, k.question.measure, k.question.target or 0)):
        parts = {name: value for name, value in asdict(one).items() if value is not None and value is not False}
        parts["question"] = {name: value for name, value in parts["question"].items() if value is not None}
        rows = [f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in parts.items()]
        lines.append("  {\n" + ",\n".join(rows) + "\n  }")
    return f'{{\n "format": "{FORMAT}",\n "records": [\n' + ",\n".join(lines) + "\n ]\n}\n"


# -- asking ------------------------------------------------------------------------------------------------------


def question_of(instance: str, objective: Objective = Objective.REUSE, target: float | None = None) -> Known:
    """A question about a file below ``instances/``, with nothing known yet."""
    path = INSTANCES / instance
    if path.suffix == ".csv":
        digest = "sha256:" + _sha256(path)
        return Known(Question(instance, "height_bytes"), digest)
    problem = load_problem(path)
    w = problem.workspace
    measure = "footprint_bytes" if objective is Objective.REUSE else "makespan_ms"
    question = Question(
        instance,
        measure,
        target,
        w.size,
        w.partitions,
        w.alignment,
        w.isolation.value,
        problem.capacity_of("workers"),
        problem.policy.inputs.value,
        problem.policy.outputs.value,
    )
    return Known(question, problem_digest(problem))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def asked(question: Question, seconds: float, seed: int = 0) -> Known:
    """What the planner answers within ``seconds``."""
    if question.measure == "height_bytes":
        return _placed(question, seconds)
    objective = Objective.REUSE if question.measure == "footprint_bytes" else Objective.MAKESPAN
    blank = question_of(question.instance, objective, question.target)
    problem = load_problem(INSTANCES / question.instance)
    begun = perf_counter()
    outcome = solve(problem, objective=objective, target=question.target, budget=Budget(seconds, 2, seed))
    who = Who(f"catalytic {version('catalytic')}", "solve", round(perf_counter() - begun, 2), date.today().isoformat())
    quantities = ("makespan",) if objective is Objective.MAKESPAN else ("peak_live", "footprint")
    bounds = [b for b in outcome.bounds if b.quantity in quantities]
    best = max(bounds, key=lambda b: (b.value, GRADES.index(b.evidence)), default=None)
    if outcome.status is Status.INFEASIBLE:
        by_bytes = [b for b in outcome.bounds if b.quantity != "makespan" and b.value > ceiling(problem, question)]
        evidence = max((b.evidence for b in by_bytes), key=GRADES.index, default=Evidence.SOLVER_CLAIM)
        return replace(blank, evidence=evidence, bound_by=who, infeasible=True)
    found = blank
    if outcome.plan is not None and outcome.target_met:
        assert violations(outcome.plan) == []
        measures = outcome.plan.measures
        value = measures.footprint if objective is Objective.REUSE else measures.makespan
        found = replace(found, value=int(value), value_by=who)
    if best is not None:
        found = replace(found, bound=int(best.value), evidence=best.evidence, bound_by=replace(who, how=best.method))
    return found


def ceiling(problem: Problem, question: Question) -> int:
    """The most bytes that an answer may use."""
    capacity = int(problem.workspace.capacity)
    if question.target is None:
        return capacity
    return min(capacity, int((1 - Fraction(str(question.target))) * problem.graph.allocated))


def _placed(question: Question, seconds: float) -> Known:
    begun = perf_counter()
    answer = place_file(PlaceRequest(INSTANCES / question.instance, budget=Budget(seconds, 2))).answer
    assert isinstance(answer, PlaceAnswer)
    who = Who(f"catalytic {version('catalytic')}", "place", round(perf_counter() - begun, 2), date.today().isoformat())
    blank = question_of(question.instance)
    return replace(blank, value=answer.height, value_by=who, bound=answer.bound, evidence=answer.evidence, bound_by=who)


# -- enumeration -------------------------------------------------------------------------------------------------


def enumerated(question: Question) -> Known | None:
    """A bound from all orders (footprint) or all schedules (makespan); None where that would take too long."""
    if question.measure == "height_bytes":
        return None
    problem = load_problem(INSTANCES / question.instance)
    if len(problem.tasks) > MOST_TASKS_TO_ENUMERATE:
        return None
    begun = perf_counter()
    objective = Objective.REUSE if question.measure == "footprint_bytes" else Objective.MAKESPAN
    blank = question_of(question.instance, objective, question.target)
    tool = f"benchmarks/best_known.py {version('catalytic')}"
    peak = _oracles().least_peak_by_enumeration(problem)
    if peak > ceiling(problem, question):
        who = Who(tool, "all orders", round(perf_counter() - begun, 2), date.today().isoformat())
        return replace(blank, evidence=Evidence.EXHAUSTIVE, bound_by=who, infeasible=True)
    if objective is Objective.REUSE:
        bound, how = peak, "all orders"
    else:
        bound, how = Schedules(problem, ceiling(problem, question)).least_makespan(), "all schedules"
    who = Who(tool, how, round(perf_counter() - begun, 2), date.today().isoformat())
    return replace(blank, bound=bound, evidence=Evidence.EXHAUSTIVE, bound_by=who)


def _oracles() -> ModuleType:
    """``tests/oracles.py``: definitions that share no code with the planner."""
    spec = importlib.util.spec_from_file_location("oracles", ROOT / "tests" / "oracles.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["oracles"] = module
    spec.loader.exec_module(module)
    return module


State = tuple[frozenset[str], tuple[tuple[str, int], ...]]
"""What has ended, and what runs with the ticks it still needs."""


class Schedules:
    """All schedules of a small problem whose living bytes never exceed ``ceiling``.

    Starts at the ends of other tasks suffice. Between two ends bytes and resources are only taken and never given back,
    so what starts between them could as well start at the earlier one: the most that is in use there is what is in use
    just before the later one, and everything ends no later. Where bytes lie, and who writes into which partition, is
    left out: the least makespan of these schedules is a lower bound for plans.
    """

    def __init__(self, problem: Problem, ceiling: int) -> None:
        self.problem, self.ceiling = problem, ceiling
        self.tasks = {t.id: t for t in problem.tasks}
        self.writer = {b: t.id for t in problem.tasks for b in t.outputs}
        self.before = {
            t.id: frozenset({self.writer[b] for b in t.inputs if b in self.writer} | set(t.after))
            for t in problem.tasks
        }
        if any(t.in_place for t in problem.tasks):
            raise ValueError("in-place permissions are not enumerated")

    @cached_property
    def buffers(self) -> tuple[tuple[int, str | None, frozenset[str], bool], ...]:
        """(aligned size, writer or None, readers, kept) of everything that takes bytes of the workspace."""
        unit, policy = self.problem.workspace.alignment, self.problem.policy
        found = []
        for b in self.problem.buffers:
            readers = frozenset(t.id for t in self.problem.tasks if b.id in t.inputs)
            writer = self.writer.get(b.id)
            if writer is None and (policy.inputs is InputPolicy.EXTERNAL or not readers):
                continue
            unread = writer is not None and not readers and b.export is None
            kept = b.keep or (unread and policy.outputs is OutputPolicy.KEEP)
            found.append((-(-b.size // unit) * unit, writer, readers, kept))
        for t in self.problem.tasks:
            found.append((-(-t.scratch // unit) * unit, t.id, frozenset(), False))
        return tuple(found)

    def bytes_alive(self, ended: frozenset[str], running: frozenset[str]) -> int:
        """By the definition: from the writer's start (a load: the first reader's) to the end of the last reader."""
        begun, total = ended | running, 0
        for size, writer, readers, kept in self.buffers:
            users = readers if writer is None else readers | {writer}
            preloaded = writer is None and self.problem.policy.inputs is InputPolicy.PRELOAD
            born = preloaded or (writer in begun if writer is not None else bool(readers & begun))
            if born and (kept or not users <= ended):
                total += size
        return total

    def least_makespan(self) -> int:
        """In ticks: the shortest path through the states between two ends (Dijkstra)."""
        start: State = (frozenset(), ())
        reached = {start: 0}
        queue = [(0, 0, start)]
        number = 0
        while queue:
            now, _, state = heapq.heappop(queue)
            if now > reached[state]:
                continue
            if len(state[0]) == len(self.tasks):
                return now
            for later, following in self._following(state):
                at = now + later
                if at < reached.get(following, at + 1):
                    reached[following] = at
                    number += 1
                    heapq.heappush(queue, (at, number, following))
        raise ValueError("no schedule stays within the ceiling")

    def _following(self, state: State) -> Iterator[tuple[int, State]]:
        """Each choice of tasks to start now, up to the next end."""
        ended, left = state
        running = frozenset(name for name, _ in left)
        ready = sorted(n for n in self.tasks if n not in ended and n not in running and self.before[n] <= ended)
        for count in range(len(ready) + 1):
            for chosen in combinations(ready, count):
                now = running | set(chosen)
                if not now or not self._allowed(ended, now):
                    continue
                ticks = [*left, *((name, int(self.tasks[name].duration)) for name in chosen)]
                step = min(t for _, t in ticks)
                done = ended | {name for name, t in ticks if t == step}
                yield step, (done, tuple(sorted((name, t - step) for name, t in ticks if t > step)))

    def _allowed(self, ended: frozenset[str], running: frozenset[str]) -> bool:
        for name, capacity in self.problem.resources:
            if sum(self.tasks[t].demand(name) for t in running) > capacity:
                return False
        return self.bytes_alive(ended, running) <= self.ceiling


# -- the table ---------------------------------------------------------------------------------------------------


def line(old: Known, new: Known) -> str:
    """What is known and what was found, side by side."""

    def shown(number: int | None) -> str:
        return "-" if number is None else f"{number:,}"

    def said(known: Known) -> str:
        grade = known.evidence.value if known.evidence is not None else "-"
        if known.infeasible:
            return f"{'infeasible':>13} {'':>13} {grade:<12}"
        return f"{shown(known.value):>13} {shown(known.bound):>13} {grade:<12}"

    seconds = max((w.seconds for w in (new.value_by, new.bound_by) if w is not None), default=0.0)
    above = "-"
    if old.value and new.value is not None:
        above = f"{100 * (new.value / old.value - 1):.1f}%"
    return f"{old.question.name:<44} {said(old)} | {said(new)} {above:>6} {seconds:>6.2f}s"


HEAD = (
    f"{'question':<44} {'best known':>13} {'bound':>13} {'evidence':<12} | {'found':>13} {'bound':>13} "
    f"{'evidence':<12} {'above':>6} {'time':>7}"
)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Best known values of the instances, and what a search finds now.")
    parser.add_argument("--seconds", type=float, default=2.0, help="time limit per question (default %(default)s)")
    parser.add_argument("--only", metavar="NAME", default="", help="only questions whose name contains NAME")
    parser.add_argument("--update", action="store_true", help="write what is better into the record")
    parser.add_argument("--enumerate", action="store_true", help="also bounds of small instances by enumeration")
    parser.add_argument("--add", metavar="INSTANCE", help="ask a new question, and record the answer")
    parser.add_argument("--objective", choices=["reuse", "makespan"], default="reuse", help="of the new question")
    parser.add_argument("--reuse-factor", type=float, default=None, help="target of the new question")
    parser.add_argument("--seed", type=int, default=0, help="of the searches (default %(default)s)")
    parser.add_argument("--record", type=Path, default=RECORD, help="the file (default: instances/best_known.json)")
    args = parser.parse_args(words)
    records = {k.question: k for k in load(args.record)} if args.record.exists() else {}
    chosen = [k for k in records.values() if args.only in k.question.name]
    if args.add is not None:
        blank = question_of(args.add, Objective(args.objective), args.reuse_factor)
        chosen = [records.get(blank.question, blank)]
    warm_up(lambda message: print(message, file=sys.stderr))
    contradictions, better = [], 0
    print(HEAD)
    for old in chosen:
        answers = [asked(old.question, args.seconds, args.seed)]
        proved = enumerated(old.question) if args.enumerate else None
        answers += [proved] if proved is not None else []
        best = old
        try:
            for new in answers:
                best = merged(best, new)
                print(line(old, new), flush=True)
        except Contradiction as error:
            contradictions.append(str(error))
            continue
        better += best != old
        records[best.question] = best
    print(f"{len(chosen)} questions, {better} with something better than the record")
    for message in contradictions:
        print(f"contradiction: {message}", file=sys.stderr)
    if contradictions:
        print("nothing was written", file=sys.stderr)
        return 5
    if args.update or args.add is not None:
        args.record.write_text(dump(list(records.values())), encoding="utf-8")
        print(f"wrote {args.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
