#!/usr/bin/env python3
"""Check a catalytic plan file with nothing but Python: ``python standalone.py PLAN [PROBLEM]``.

Copy this file alone to any machine with Python 3.9 or later. It reads ``catalytic-execution.json`` and applies every
rule of a valid plan (their names are those of ``catalytic check``); with PROBLEM it also makes sure that the plan
answers that problem file. Exit codes: 0 valid, 5 some rule is violated, 2 not a readable plan.
"""

# mypy: ignore-errors
# (its values are parsed JSON, of no type that a checker could know)

import graphlib
import hashlib
import json
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from fractions import Fraction
from itertools import chain
from math import ceil, floor, isclose
from pathlib import Path

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
EVIDENCE = ("CERTIFICATE", "EXHAUSTIVE", "SOLVER_CLAIM")
SYNTHETIC = (None, "synthetic", {"synthetic": True})
UNITS.update({"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40})


def size_of(value):
    """Bytes, of an integer or of text with a unit."""
    if isinstance(value, str):
        number = value.strip().rstrip("BbKkMmGgTtIi ")
        if len(number) > 40 or "e" in number.lower():
            raise ValueError(f"{value[:40]!r} is not a size")
        return ceil(Fraction(number) * UNITS[value.strip()[len(number) :].strip().lower()])
    return value


def ticks(seconds):
    """Milliseconds, exactly."""
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or Fraction(str(seconds)) * 1000 % 1:
        raise ValueError(f"{seconds!r} is not a number of seconds, exact to the millisecond")
    return int(Fraction(str(seconds)) * 1000)


def duration(seconds):
    """Milliseconds of a task, rounded half up, at least one."""
    return max(1, floor(Fraction(str(seconds)) * 1000 + Fraction(1, 2)))


def read_problem(p):
    """The meaning of a problem: defaults filled in, sizes in bytes, durations in milliseconds, keyed by id."""
    w, policy = p.get("workspace", {}), p.get("policy", {})
    for names in ([t["id"] for t in p["tasks"]], [b["id"] for b in p.get("buffers", [])],
                  [b for t in p["tasks"] for b in t.get("outputs", [])]):  # fmt: skip
        if len(set(names)) < len(names):
            raise ValueError("a task or buffer is given twice, or written twice")
    partitions = w.get("partitions", 8)
    return {
        "workspace": {
            "size": size_of(w.get("size", 10**10)),
            "partitions": partitions,
            "alignment": size_of(w.get("alignment", 4096)),
            "isolation": w.get("isolation") or ("shared" if partitions == 1 else "exclusive"),
        },
        "policy": {"inputs": policy.get("inputs", "external"), "outputs": policy.get("outputs", "export")},
        "resources": dict(p.get("resources", {})),
        "pools": {q["id"]: [q.get("data_type"), q.get("access"), size_of(q.get("size"))] for q in p.get("pools", [])},
        "tasks": {
            t["id"]: {
                "duration": duration(t["duration"]),
                "timeout": None if t.get("timeout") is None else duration(t["timeout"]),
                "after": sorted(set(t.get("after", []))),
                "inputs": t.get("inputs", []),
                "outputs": t.get("outputs", []),
                "scratch": size_of(t.get("scratch", 0)),
                "demands": {"workers": 1, **t.get("demands", {})},
                "in_place": t.get("in_place", {}),
                "reversible": t.get("reversible", False),
                "run": None if t.get("run") in SYNTHETIC else {"args": {}, "env": {}, **t["run"]},
            }
            for t in p["tasks"]
        },
        "buffers": {
            b["id"]: {
                "size": size_of(b["size"]),
                "key": (b.get("data_type"), b.get("access")),
                "keep": b.get("keep", False),
                "export": "" if b.get("export") is True else b.get("export"),
                "source": b.get("source"),
            }
            for b in p.get("buffers", [])
        },
    }


class Case:
    """A plan file, with the facts of its problem: who writes and reads what, and what lives in the workspace."""

    def __init__(self, plan):
        self.plan, self.head, self.proof = plan, plan["catalytic_execution_plan"], plan["proof"]
        p = self.problem = read_problem(plan["problem"])
        w = self.workspace = p["workspace"]
        self.partition_size = w["size"] // w["partitions"] // w["alignment"] * w["alignment"]
        self.tasks, self.preloaded = p["tasks"], p["policy"]["inputs"] == "preload"
        self.integrity = self.head["integrity_enabled"]
        self.writer = {b: t for t, task in self.tasks.items() for b in task["outputs"]}
        readers = {}
        for t, task in self.tasks.items():
            for b in task["inputs"]:
                readers.setdefault(b, []).append(t)
        self.size, self.key, self.readers, self.kept, self.exported = {}, {}, {}, set(), set()
        for name, b in p["buffers"].items():
            if b["size"] and (name in self.writer or (name in readers and p["policy"]["inputs"] != "external")):
                self._resident(name, b["size"], b["key"], readers.get(name, []))
                final = name in self.writer and name not in readers and b["export"] is None
                if b["keep"] or (final and p["policy"]["outputs"] == "keep"):
                    self.kept.add(name)
                if b["export"] is not None or (final and p["policy"]["outputs"] == "export" and not b["keep"]):
                    self.exported.add(name)
        for t, task in self.tasks.items():
            if task["scratch"]:
                key = p["buffers"][task["outputs"][0]]["key"] if task["outputs"] else (None, None)
                self._resident("scratch:" + t, task["scratch"], key, [])
                self.writer["scratch:" + t] = t
        self.before = {
            t: {self.writer[b] for b in task["inputs"] if b in self.writer} | set(task["after"])
            for t, task in self.tasks.items()
        }
        self.after = {}
        for t, before in self.before.items():
            for b in before:
                self.after.setdefault(b, []).append(t)
        self.allocated = sum(self.size.values())
        self.in_place = {
            (out, source)
            for task in self.tasks.values()
            for out, source in task["in_place"].items()
            if out in self.size and source in self.size
        }
        self.start = {t["id"]: ticks(t["start"]) for t in plan["tasks"]}
        self.end = {t["id"]: ticks(t["end"]) for t in plan["tasks"]}
        self.makespan = max(self.end.values(), default=0)
        self.regions = {r["buffer"]: r for r in plan["regions"]}
        self.life = {b: (ticks(r["birth"]), ticks(r["death"])) for b, r in self.regions.items()}
        if any(birth >= death for birth, death in self.life.values()):
            raise ValueError("a region dies before it is born")

    def _resident(self, name, size, key, readers):
        alignment = self.workspace["alignment"]
        self.size[name], self.key[name], self.readers[name] = -(-size // alignment) * alignment, key, readers

    def users(self, b):
        """Tasks that touch a buffer's bytes."""
        return ([self.writer[b]] if b in self.writer else []) + self.readers[b]

    def fillers(self, b):
        """Tasks that may write a buffer's bytes first; any reader of a loaded input, nobody when preloaded."""
        return [self.writer[b]] if b in self.writer else [] if self.preloaded else self.readers[b]

    def first(self, b):
        """(moment, task) at which a buffer comes into being."""
        if b not in self.writer and self.preloaded:
            return 0, None
        return min((self.start[t], t) for t in self.fillers(b))

    def share(self):
        """(earlier buffer, later buffer) -> bytes passing from one to the other: regions painted in order of birth."""
        lines, self.shared = {}, {}
        for b in sorted(self.regions, key=lambda b: (self.life[b][0], b in self.writer, b)):
            for e in self.regions[b]["extents"]:
                low, high = e["offset"], e["offset"] + e["length"]
                starts, spans = lines.setdefault(e["partition"], ([], []))
                i, j = max(0, bisect_right(starts, low) - 1), bisect_left(starts, high)
                kept = [(low, high, b)] if low < high else []
                for x, y, owner in spans[i:j]:
                    if min(y, high) > max(x, low):
                        pair = (owner, b)
                        self.shared[pair] = self.shared.get(pair, 0) + min(y, high) - max(x, low)
                    kept += [(x, min(y, low), owner)] * (x < min(y, low))
                    kept += [(max(x, high), y, owner)] * (max(x, high) < y)
                spans[i:j] = sorted(kept)
                starts[i:j] = [x for x, _, _ in spans[i : i + len(kept)]]


def identity(c):
    for rule, found, wanted in (
        ("tasks", [t["id"] for t in c.plan["tasks"]], c.tasks),
        ("regions", [r["buffer"] for r in c.plan["regions"]], c.size),
    ):
        for name, count in sorted((Counter(found) - Counter(list(wanted))).items()):
            yield rule, f"{name!r} is given {count} times too often"
        for name in sorted(set(wanted) - set(found)):
            yield rule, f"{name!r} is missing"
    if len({r["id"] for r in c.plan["regions"]}) != len(c.plan["regions"]):
        yield "regions", "a region id is given twice"


def headline(c):
    h, w, policy, proof = c.head, c.workspace, c.problem["policy"], c.proof
    text = json.dumps(c.plan["problem"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    if h["problem_digest"] != digest:
        yield "digest", f"the embedded problem has the digest {digest}"
    seals = ", ".join(sorted({r["seal"] for r in c.plan["regions"] if r["seal"]})) or None
    mechanisms = {
        "checksum_algorithm": seals,
        "verification_frequency": "per_reuse" if c.integrity else "never",
        "rollback_enabled": c.integrity,
        "isolation_barriers": w["isolation"] == "exclusive",
    }
    for name, found, expected in (
        ("workspace_size", size_of(h["workspace_size"]), w["size"]),
        ("workspace_size_bytes", h["workspace_size_bytes"], w["size"]),
        ("partition_size_bytes", h["partition_size_bytes"], c.partition_size),
        ("partition_count", h["partition_count"], w["partitions"]),
        ("alignment", h["alignment"], w["alignment"]),
        ("isolation", h["isolation"], w["isolation"]),
        ("input_policy", h["input_policy"], policy["inputs"]),
        ("output_policy", h["output_policy"], policy["outputs"]),
        ("problem_name", h["problem_name"], c.plan["problem"].get("name")),
        *((key, h[key], proof[key]) for key in ("objective", "target", "status")),
        ("integrity_mechanisms", c.plan["integrity_mechanisms"], mechanisms),
    ):
        if found != expected:
            yield "header", f"{name} is stated as {found!r}, it is {expected!r}"
    for pool in c.plan["memory_pools"]:
        name, owned = pool["pool_id"], sum(s["size"] for s in pool["slices"])
        lives = [c.life[r["buffer"]] for r in c.plan["regions"] if r["pool"] == name]
        span = max(d for _, d in lives) - min(b for b, _ in lives) if lives else 0
        fill = {(e["task"], e["action"]) for e in c.plan["reuse_schedule"] if e["pool"] == name}
        who = {t for t, action in fill if t is not None and action in ("allocate", "reuse", "load")}
        if (size_of(pool["size"]), pool["size_bytes"], ticks(pool["lifecycle_duration"])) != (owned, owned, span):
            yield "header", f"size or lifecycle of pool {name!r} is not what its slices and regions give"
        if pool["reuse_tasks"] != sorted(who, key=lambda t: (c.start.get(t, 0), t)):
            yield "header", f"reuse_tasks of pool {name!r} are not those that write into it"
        keys = {c.key[r["buffer"]] for r in c.plan["regions"] if r["pool"] == name}
        if keys and (pool["data_type"], pool["access"]) not in keys:
            yield "header", f"data_type or access of pool {name!r} is not that of its buffers"


def canonical(c):
    rank = {"export": 0, "release": 1}
    for name, keys in (
        ("tasks", [(t["start"], t["id"]) for t in c.plan["tasks"]]),
        ("regions", [(r["birth"], r["buffer"]) for r in c.plan["regions"]]),
        ("slices", [(p["pool_id"], s["partition"]) for p in c.plan["memory_pools"] for s in p["slices"]]),
        ("edges", [(e["from"], e["to"], e["kind"], e.get("via") or "") for e in c.plan["edges"]]),
        ("events", [(e["timestamp"], rank.get(e["action"], 2), e["memory_region"]) for e in c.plan["reuse_schedule"]]),
    ):
        if keys != sorted(keys):
            yield "canonical", f"the {name} do not stand in their canonical order"


def times(c):
    for t, task in c.tasks.items():
        if c.start[t] < 0 or c.end[t] - c.start[t] != task["duration"]:
            yield "tasks", f"{t!r} runs in [{c.start[t]}, {c.end[t]}) and lasts {task['duration']} ms"
        for b in c.before[t]:
            if c.end[b] > c.start[t]:
                yield "precedence", f"{t!r} starts before {b!r} has ended"
    for name, capacity in c.problem["resources"].items():
        used, demand = 0, {t: task["demands"].get(name, 0) for t, task in c.tasks.items()}
        for moment, amount in sorted(chain.from_iterable(((c.start[t], d), (c.end[t], -d)) for t, d in demand.items())):
            used += amount
            if used > capacity:
                yield "resources", f"{used} of {name!r} are in use at {moment}, there are {capacity}"
                break
    for b, life in c.life.items():
        death = c.makespan if b in c.kept else max(c.end[t] for t in c.users(b))
        if life != (c.first(b)[0], death):
            yield "lifetime", f"{b!r} lives in {life}, by the times in {(c.first(b)[0], death)}"


def partitions(c):
    written, lines = {t: set() for t in c.tasks}, {}
    for b, r in c.regions.items():
        if c.first(b)[1] is not None:
            written[c.first(b)[1]] |= {e["partition"] for e in r["extents"]}
    for t in c.plan["tasks"]:
        if t["partitions"] != sorted(written[t["id"]]):
            yield "partitions", f"{t['id']!r} writes into {sorted(written[t['id']])}, the plan says {t['partitions']}"
        for p in written[t["id"]]:
            lines.setdefault(p, []).append((c.start[t["id"]], c.end[t["id"]], t["id"]))
    for p, line in lines.items() if c.workspace["isolation"] == "exclusive" else ():
        until = -1
        for start, end, t in sorted(line):
            if start < until:
                yield "exclusive", f"{t!r} and another task write into partition {p} at {start}"
            until = max(until, end)


def space(c):
    w, whole = c.workspace, c.partition_size
    for b, r in c.regions.items():
        extents = [(e["partition"], e["offset"], e["length"]) for e in r["extents"]]
        for p, offset, length in extents:
            if not 0 <= p < w["partitions"] or offset < 0 or length <= 0 or offset + length > whole:
                yield "partition", f"{r['id']} leaves its partition: {p}, {offset}, {length}"
            if offset % w["alignment"] or length % w["alignment"]:
                yield "alignment", f"{r['id']} is not aligned: {p}, {offset}, {length}"
        total, first = sum(length for _, _, length in extents), extents[0][0] if extents else 0
        form = [(first + k, 0, min(whole, c.size[b] - k * whole)) for k in range(len(extents))]
        if total != c.size[b]:
            yield "size", f"{r['id']} has {total} bytes, {b!r} needs {c.size[b]}"
        elif extents != (form if c.size[b] > whole else extents[:1]):
            yield "spanning", f"{r['id']} is neither one extent nor consecutive whole partitions"


def pools(c):
    slices, lines, key_of = {}, {}, {name: (q[0], q[1]) for name, q in c.problem["pools"].items()}
    name_of = {key: name for name, key in key_of.items()}
    for q in c.plan["memory_pools"]:
        for s in q["slices"]:
            low, high, pool = s["offset"], s["offset"] + s["size"], q["pool_id"]
            if (pool, s["partition"]) in slices:
                yield "pools", f"{pool!r} has two slices in partition {s['partition']}"
            if not 0 <= s["partition"] < c.workspace["partitions"] or not 0 <= low < high <= c.partition_size:
                yield "pools", f"a slice of {pool!r} leaves its partition"
            if low % c.workspace["alignment"] or high % c.workspace["alignment"]:
                yield "alignment", f"a slice of {pool!r} is not aligned"
            slices[pool, s["partition"]] = (low, high)
            lines.setdefault(s["partition"], []).append((low, high, pool))
        limit = c.problem["pools"].get(q["pool_id"], [None] * 3)[2]
        if limit is not None and sum(s["size"] for s in q["slices"]) > limit:
            yield "pools", f"the slices of {q['pool_id']!r} exceed its limit of {limit}"
        if q["slices"] and q["pool_id"] not in {r["pool"] for r in c.plan["regions"]}:
            yield "pools", f"{q['pool_id']!r} owns slices and holds no region"
    for p, line in lines.items():
        line.sort()
        if any(a[1] > b[0] for a, b in zip(line, line[1:])):  # noqa: B905, RUF007
            yield "pools", f"slices overlap in partition {p}"
    for b, r in c.regions.items():
        if name_of.setdefault(c.key[b], r["pool"]) != r["pool"] or key_of.setdefault(r["pool"], c.key[b]) != c.key[b]:
            yield "pools", f"{b!r} does not belong into pool {r['pool']!r}"
        for e in r["extents"]:
            low, high = slices.get((r["pool"], e["partition"]), (0, 0))
            if not low <= e["offset"] <= e["offset"] + e["length"] <= high:
                yield "pools", f"{r['id']} lies outside the slice of its pool"


def overlaps(c):
    for (a, b), count in sorted(c.shared.items()):
        if c.life[a][1] <= c.life[b][0]:
            continue
        t = c.writer.get(b)
        if (b, a) not in c.in_place or t is None:
            yield "overlap", f"{a!r} and {b!r} share {count} bytes while both are alive"
        elif a in c.kept or c.life[a][1] > c.end[t] or any(c.end[u] > c.start[t] for u in c.users(a) if u != t):
            yield "in_place", f"{b!r} takes {count} bytes of {a!r}, which others still need"


def edges(c):
    given, held = {"data": set(), "after": set(), "reuse": set(), "exclusive": set(), "resource": set()}, {}
    held = {t["id"]: [str(p) for p in t["partitions"]] for t in c.plan["tasks"]}
    known = [e for e in c.plan["edges"] if e["from"] in c.tasks and e["to"] in c.tasks]
    if len(known) < len(c.plan["edges"]):
        yield "edges", "an edge names a task that is not in the plan"
    for e in known:
        edge = (e["from"], e["to"], e.get("via"))
        if edge in given[e["kind"]]:
            yield "edges", f"{edge} is given twice"
        given[e["kind"]].add(edge)
        if c.end[e["from"]] > c.start[e["to"]]:  # so no cycle passes: time would have to fall along it
            yield "edges", f"{edge} contradicts the times"
    data = {(c.writer[b], t, b) for t, task in c.tasks.items() for b in task["inputs"] if b in c.writer}
    after = {(b, t, None) for t, task in c.tasks.items() for b in task["after"]}
    reuse = {(u, t, a) for a, b in c.shared for u in c.users(a) for t in c.fillers(b) if u != t}
    exclusive = {e for e in given["exclusive"] if e[2] in held[e[0]] and e[2] in held[e[1]]}
    resource = {e for e in given["resource"] if all(c.tasks[t]["demands"].get(e[2], 0) > 0 for t in e[:2])}
    for edge in sorted((data - given["data"]) | (after - given["after"]), key=str):
        yield "edges", f"{edge} is missing"
    for kind, meant in zip(given, (data, after, reuse, exclusive, resource)):  # noqa: B905
        for edge in sorted(given[kind] - meant, key=str):
            yield "edges", f"{edge} ({kind}) has no reason"
    direct, before = {(e["from"], e["to"]) for e in known if c.end[e["from"]] <= c.start[e["to"]]}, {}
    for source, target in direct:
        before.setdefault(target, []).append(source)
    for a, b in sorted(c.shared):
        if c.preloaded and b not in c.writer:
            yield "reuse", f"{b!r} is there from the start and takes over bytes of {a!r}"
        for t in c.fillers(b):
            waits = {u for u in c.users(a) if (u, t) not in direct and not (u == t and (b, a) in c.in_place)}
            for u in sorted(waits - reached(t, before)) if waits else ():
                yield "reuse", f"no path of edges makes {t!r} ({b!r}) wait for {u!r}, which uses {a!r}"


def story(c):
    taken, want = {}, Counter()
    for (a, b), count in c.shared.items():
        taken.setdefault(b, []).append((c.regions[a]["id"], count))
    for b, r in c.regions.items():
        takes, (birth, who) = tuple(sorted(taken.get(b, ()))), c.first(b)
        action = "load" if b not in c.writer else "reuse" if takes else "allocate"
        check = "checksum_validated" if takes and c.integrity else None
        want[birth, action, r["pool"], who, r["id"], takes, check] += 1
        if b in c.exported:
            want[c.end[who], "export", r["pool"], who, r["id"], (), None] += 1
        if b not in c.kept:
            death, last = max((c.end[t], t) for t in c.users(b))
            want[death, "release", r["pool"], last, r["id"], (), None] += 1
        if bool(r["seal"]) != c.integrity:
            yield "seal", f"{r['id']} has the seal {r['seal']!r}"
    have = Counter()
    for e in c.plan["reuse_schedule"]:
        takes = tuple((t["region"], t["bytes"]) for t in e.get("takes_over", ()))
        line = (ticks(e["timestamp"]), e["action"], e["pool"], e["task"], e["memory_region"], takes)
        have[(*line, e.get("verification"))] += 1
    for word, lines in (("missing", want - have), ("does not follow from the plan", have - want)):
        for line in sorted(lines, key=str):
            yield "events", f"{word}: {line}"


def measures(c):
    height, changes = {}, {}
    for b, r in c.regions.items():
        size = sum(e["length"] for e in r["extents"])
        for moment, change in zip(c.life[b], (size, -size)):  # noqa: B905
            changes[moment] = changes.get(moment, 0) + change
        for e in r["extents"]:
            height[e["partition"]] = max(height.get(e["partition"], 0), e["offset"] + e["length"])
    for (a, b), count in c.shared.items():
        low, high = c.life[b][0], min(c.life[a][1], c.life[b][1])
        if low < high:  # in place: the shared bytes count once
            changes[low] -= count
            changes[high] += count
    c.peak = total = 0
    for moment in sorted(changes):
        total += changes[moment]
        c.peak = max(c.peak, total)
    c.footprint = sum(height.values())
    c.factor = (c.allocated - c.footprint) / c.allocated if c.allocated else None
    names = (("allocated", c.allocated), ("footprint", c.footprint), ("reuse_factor", c.factor), ("peak_live", c.peak))
    for name, value in (*names, ("makespan", c.makespan)):
        found = ticks(c.head[name]) if name == "makespan" else c.head[name]
        if found != value:
            yield "measures", f"{name} is stated as {found}, it is {value}"


def longest_from(c, order, sources):
    """Task -> length in ms of the longest chain from any of ``sources`` to its end."""
    longest = {}
    for t in order:
        best = max((longest[b] for b in c.before[t] if b in longest), default=None)
        if t in sources or best is not None:
            longest[t] = c.tasks[t]["duration"] + (best or 0)
    return longest


def reached(task, links):
    """Tasks that ``links`` lead to from ``task``, itself not included."""
    seen, stack = set(), [task]
    while stack:
        for t in links.get(stack.pop(), ()):
            if t not in seen:
                seen.add(t)
                stack.append(t)
    return seen


def moment_set(c, method, witness, size):
    """Bytes of the buffers in ``size`` that a working set or a through set shows to be alive while its task runs."""
    task, names = c.tasks[witness["task"]], set(witness["buffers"])
    through = names - {*task["inputs"], *task["outputs"], "scratch:" + witness["task"]}
    if through and method == "working_set":
        raise ValueError("buffers that the task does not touch")
    earlier, later = reached(witness["task"], c.before), reached(witness["task"], c.after)
    for b in through:
        here = c.writer[b] in earlier if b in c.writer else c.preloaded or earlier & set(c.readers[b])
        if not here or not (b in c.kept or later & set(c.readers[b])):
            raise ValueError(f"{b!r} need not exist while the task runs")
    saved = sum(min(size[a], size[b]) for a, b in task["in_place"].items() if {a, b} <= names)
    return sum(size[b] for b in names) - saved


def cut(c, witness, size, order):
    """Bytes alive while a task runs: what it touches, and chains of buffers of which one is alive whatever is done.

    A chain is a number of bytes and positions in the list of buffers. The first exists when the task starts; when one
    has no user left, a starter of the next has ended; the last is kept or still needed. Each buffer stands for all
    with its writer, readers and fate; an input that the task may take over stands for the bytes saved.
    """
    task, names, past, used = witness["task"], witness["buffers"], {}, Counter()
    for t in order:  # itself and all its ancestors, as bits
        past[t] = 1 << len(past)
        for p in c.before[t]:
            past[t] |= past[p]
    own = {b for b in size if task in c.users(b)}
    pairs = [(a, b) for a, b in c.tasks[task]["in_place"].items() if a in size and b in size and b not in c.kept]
    saving = {b: min(size[a], size[b]) for a, b in pairs if c.key[a] == c.key[b]}
    total, room = sum(size[b] for b in own) - sum(saving.values()), Counter(saving)
    fate = {b: b if b in saving else (c.writer.get(b), *sorted(c.readers[b]), b in c.kept) for b in size}
    for b in size.keys() - own:
        room[fate[b]] += size[b]
    if len(set(names)) < len(names) or not set(names) <= size.keys() - own | saving.keys():
        raise ValueError("a buffer in the chains is given twice, has no bytes here, or counts already")
    users = {b: [t for t in c.users(b) if t != task] for b in names}
    earlier, bit = reached(task, c.before), {t: 1 << k for k, t in enumerate(order)}
    begin = sum(bit[t] for t in earlier)
    for amount, *positions in witness["chains"]:
        whole = all(type(x) is int for x in (amount, *positions))
        if not whole or amount <= 0 or not positions or not all(0 <= i < len(names) for i in positions):
            raise ValueError("a chain has no bytes, or points beyond the list of buffers")
        done = begin
        for b in (names[i] for i in positions):
            if not (b in saving or (c.preloaded and b not in c.writer) or any(bit[t] & done for t in c.fillers(b))):
                raise ValueError(f"{b!r} need not exist when its turn in a chain comes")
            done = begin
            for t in users[b]:
                done |= past[t]
            used[fate[b]] += amount
        if not (b in c.kept or any(past[t] & bit[task] for t in users[b])):
            raise ValueError(f"{b!r} ends a chain, and nobody needs it after {task!r} starts")
        total += amount
    if any(used[f] > room[f] for f in used):
        raise ValueError("chains through a buffer hold more than its bytes")
    return total


def alive(c, method, witness, size, order):
    """Bytes of the buffers in ``size`` that must be alive at one moment."""
    if method not in ("working_set", "through_set", "min_cut"):
        raise ValueError("a certificate of a kind that cannot be checked")
    return cut(c, witness, size, order) if method == "min_cut" else moment_set(c, method, witness, size)


def proved(c, bound, order):
    """The value that a certificate's witness proves; raises when it proves nothing."""
    witness, how = bound["witness"], (bound["quantity"], bound["method"])
    if how[0] == "peak_live":
        return alive(c, how[1], witness, c.size, order)
    if how == ("footprint", "pool_sum"):
        own = {}
        for b, r in c.regions.items():
            own.setdefault(r["pool"], {})[b] = c.size[b]
        return sum(alive(c, part["method"], part, own[pool], order) for pool, part in witness["pools"].items())
    if how == ("makespan", "critical_path"):
        path = witness["path"]
        if any(a not in c.before[b] for a, b in zip(path, path[1:])):  # noqa: B905, RUF007
            raise ValueError("a path of tasks that do not wait for one another")
        return sum(c.tasks[t]["duration"] for t in path)
    if how == ("makespan", "resource_energy"):
        name = witness["resource"]
        work = sum(t["duration"] * t["demands"].get(name, 0) for t in c.tasks.values())
        return -(-work // c.problem["resources"][name])
    if how == ("makespan", "memory_time_energy"):
        capacity, target = c.partition_size * c.workspace["partitions"], c.proof["target"]
        least = capacity
        if target is not None:
            least = min(capacity, floor((1 - Fraction(target)) * c.allocated), floor((1 - target) * c.allocated))
        if witness["ceiling"] < least or witness["ceiling"] <= 0:
            raise ValueError(f"a ceiling below the {least} bytes that plans may use")
        energy, chains, place = 0, {}, {t: k for k, t in enumerate(order)}
        for b, size in c.size.items():
            if b not in c.writer:
                energy += size * max(c.tasks[t]["duration"] for t in c.readers[b])
                continue
            w = c.writer[b]
            if w not in chains:
                last = max([place[t] for x in c.tasks[w]["outputs"] for t in c.readers.get(x, ())], default=place[w])
                chains[w] = longest_from(c, order[place[w] : last + 1], {w})
            energy += size * max(chains[w][t] for t in c.users(b))
        for a, b in c.in_place:
            energy -= min(c.size[a], c.size[b]) * c.tasks[c.writer[a]]["duration"]
        return -(-energy // witness["ceiling"])
    raise ValueError("a certificate of a kind that cannot be checked")


def claims(c):
    order = list(graphlib.TopologicalSorter(c.before).static_order())
    proof, best = c.proof, {}
    met = proof["target"] is None or c.factor is None or c.factor >= proof["target"]
    for bound in proof["bounds"]:
        name = f"{bound['quantity']} >= {bound['value']} by {bound['method']}"
        value = ticks(bound["value"]) if bound["quantity"] == "makespan" else bound["value"]
        best[bound["quantity"]] = max(best.get(bound["quantity"], value), value)
        if bound["evidence"] not in EVIDENCE:
            yield "bounds", f"{name}: evidence of an unknown kind"
        elif bound["evidence"] == "CERTIFICATE":
            try:
                if value > proved(c, bound, order):
                    yield "bounds", f"{name}: the witness proves less"
            except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
                yield "bounds", f"{name}: {error}"
        elif not bound["witness"]:
            yield "bounds", f"{name} is a claim without the parameters of the search"
        reached_by_plan = {"peak_live": c.peak, "footprint": c.footprint, "makespan": c.makespan if met else value}
        if value > reached_by_plan[bound["quantity"]]:
            yield "bounds", f"{name}, yet this plan does better"
    if not met and proof["status"] in ("OPTIMAL", "FEASIBLE"):
        yield "target", f"the reuse factor {c.factor} misses the target {proof['target']}"
    room = max((best[q] for q in ("peak_live", "footprint") if q in best), default=None)
    largest = 1 - room / c.allocated if room is not None and c.allocated else None
    least, chain_length = ticks(proof["least_makespan"]), max(longest_from(c, order, c.tasks).values(), default=0)
    by_reuse = proof["objective"] == "reuse"
    value, bound = (c.footprint, room or 0) if by_reuse else (c.makespan, least)
    gap = (value - bound) / value if value else 0.0
    for name, found, expected in (("largest_reuse_factor", proof["largest_reuse_factor"], largest),
                                  ("gap", proof["gap"], gap)):  # fmt: skip
        if (found is None) != (expected is None) or (
            found is not None and not isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
        ):
            yield "verdict", f"{name} is {found}, the bounds give {expected}"
    if least != best.get("makespan", least) or (least > chain_length and "makespan" not in best):
        yield "verdict", f"least_makespan is {least} ms, the bounds give something else"
    if proof["status"] == "OPTIMAL" and gap > 1e-9:
        yield "verdict", f"the status is OPTIMAL with a gap of {gap}"
    if proof["status"] == "INFEASIBLE" and (proof["target"] is None or largest is None or largest >= proof["target"]):
        yield "verdict", "the status is INFEASIBLE, and no bound excludes the target"


RULES = (headline, canonical, times, partitions, space, pools, overlaps, edges, story, measures, claims)


def check(plan: dict) -> "list[tuple[str, str]]":
    """Every violation of a plan (a parsed file) as (rule, sentence); the empty list when it is valid."""
    case = Case(plan)
    strangers = list(identity(case))
    if strangers:  # nothing else has a meaning when tasks or regions are not the problem's
        return strangers
    case.share()
    return [violation for rule in RULES for violation in rule(case)]


def same_problem(plan: dict, problem: dict) -> "list[tuple[str, str]]":
    """Sections in which a problem file says something else than the plan's embedded problem."""
    a, b = read_problem(plan["problem"]), read_problem(problem)
    b["resources"].setdefault("workers", a["resources"].get("workers"))  # by default the cores of some machine
    return [("problem", f"the plan answers another problem: the {name} differ") for name in a if a[name] != b[name]]


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    documents = []
    try:
        for path in arguments:
            documents.append(json.loads(Path(path).read_text(encoding="utf-8")))
        if documents[0].get("format") != "catalytic-execution/1":
            raise ValueError(f"the format is {documents[0].get('format')!r}, allowed 'catalytic-execution/1'")
        found = check(documents[0])
        if len(documents) == 2:
            found += same_problem(*documents)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        print(f"{arguments[min(len(documents), len(arguments) - 1)]}: not a readable plan: {error!r}", file=sys.stderr)
        return 2
    for rule, message in found:
        print(f"{rule}: {message}")
    print(f"{len(found)} violations" if found else f"valid: {len(documents[0]['regions'])} regions")
    return 5 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
