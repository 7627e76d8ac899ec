"""Task Master's ``tasks.json`` as problems: what is to be done, and in which order.

::

    {"master": {"tasks": [{"id": 5, "title": "Persist", "status": "pending", "dependencies": [3, "4"], "complexity": 7,
                           "subtasks": [{"id": 1, "dependencies": []}, {"id": 2, "dependencies": [1, "3.2"]}]}],
                "metadata": {...}}}

Three layouts are read: lists of tasks by tag (one is chosen by ``--tag``: ``master``, or the only one, or the first);
the older one with ``tasks`` at the top, with or without ``metadata``; and both in one file.

A task is a task of its id, ``5``, a subtask one of its parent's id and its own, ``5.2``. Subtasks begin when what their
parent depends on is done, and the parent itself ends when its subtasks have. Ids are numbers or texts. A dependency of
a subtask is another subtask beside it where there is one of that id, otherwise a task; ``3.2`` is a subtask of task 3.
What depends on its own parent is not held up by it.

Files state no durations. A task lasts a second for each point of its complexity, 1 to 10, which stands in the task or
in a report of ``task-master analyze-complexity``, given ``--with`` the file (alone it has no order); its subtasks
share that, and the parent itself is a task of 1 ms. Where nothing states a complexity, every task without subtasks
lasts equally long. Statuses and priorities are ignored: what is done is planned too.

Other tools call their files ``tasks.json`` too; they are refused by name.

Source: scripts/modules/task-manager of github.com/eyaltoledano/claude-task-master, and files of public repositories.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, problem_of_jobs
from .json_text import TOP, describe, join, parse_json, read_bytes
from .reading import refuse, unpacked

DEFAULT_TAG = "master"

Record = Mapping[str, object]

_OWN = ("title", "dependencies", "subtasks", "testStrategy", "status", "priority")
_NEVER: tuple[tuple[str, str], ...] = (
    ("implementationGuide", "Shrimp Task Manager"),
    ("task_key", "Databricks"),
    ("uuid", "Taskwarrior"),
)
"""Key of a record that no version of Task Master writes -> whose file it is."""

_TOOLS: tuple[tuple[str, str], ...] = (
    ("label", "VS Code or Zed (tasks of an editor)"),
    ("taskName", "VS Code (tasks of an editor)"),
    ("completedAt", "VS Code Huckleberry"),
    ("completed", "VS Code Huckleberry"),
    ("content", "a list of todos"),
    ("acceptanceCriteria", "Backlog.md or another tracker"),
)
"""Key of a record -> whose file it is, if Task Master's own keys are absent."""


@dataclass(slots=True)
class _Item:
    """A task or subtask: its id in the problem, its place, its complexity, and the ids it depends on, with places."""

    name: str
    place: str
    complexity: Decimal | None = None
    after: list[tuple[str, str]] = field(default_factory=list)
    subtasks: list[str] = field(default_factory=list)
    parent: str | None = None


def is_taskmaster(document: Record) -> bool:
    """Whether a JSON object is a list of things to do, Task Master's or another's, or its report of complexities.

    A problem of ours without its format is none: its tasks last, read and write.
    """
    if "complexityAnalysis" in document:
        return True
    records = [t for tasks in _lists(document).values() for t in tasks if isinstance(t, dict)]
    keys = {key for t in records for key in t}
    ours = {"duration", "inputs", "outputs", "run"}
    return bool(keys & {*_OWN, *(key for key, _ in (*_NEVER, *_TOOLS))}) and not (keys & ours and not keys & {*_OWN})


def owner_of_list(values: object) -> str | None:
    """Whose tasks a JSON list holds; None for any other value. Task Master's own always stand in an object."""
    records = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    return next((tool for key, tool in (*_NEVER, *_TOOLS) if any(key in record for record in records)), None)


def import_taskmaster(
    path: Path, *, companions: Sequence[Path] = (), tag: str | None = None, **gaps: Unpack[Gaps]
) -> Imported:
    """The tasks in ``path`` as a problem; ``companions``: reports of complexities. ``InputError`` with its mistakes."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    documents = {part: parse_json(unpacked(read_bytes(part), str(part)), str(part)) for part in (path, *companions)}
    reports = {part: document for part, document in documents.items() if "complexityAnalysis" in document}
    lists = [part for part in documents if part not in reports]
    if len(lists) > 1:
        found = "a second list of tasks" if _lists(documents[lists[1]]) else "no report of complexities"
        raise InputError(str(lists[1]), [Mistake(TOP, found, "one list of tasks, and reports on it")])
    items, said = _listed(documents[lists[0]], tag, str(lists[0])) if lists else ({}, [_REPORTS_ALONE])
    for part, report in reports.items():
        said.append(_analysed(items, report, part, add=not lists))
    jobs = {
        name: Job(item.place, tuple(_after(item, items)), _milliseconds(item, items)) for name, item in items.items()
    }
    return problem_of_jobs(
        origin,
        path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".tasks"),
        jobs,
        assumptions=[*said, *_assumptions(items)],
        **gaps,
    )


_REPORTS_ALONE = (
    "a report of complexities knows no dependencies: tasks may run in any order (give tasks.json --with it)"
)


def _listed(document: Record, tag: str | None, origin: str) -> tuple[dict[str, _Item], list[str]]:
    """The items of a list of tasks, and what was assumed of it; ``InputError`` with its mistakes."""
    _refuse_other_tools(document, origin)
    chosen, place, said = _chosen(document, tag, origin)
    mistakes: list[Mistake] = []
    items = _items(_lists(document)[chosen], place, mistakes)
    _resolve(items, mistakes)
    refuse(origin, mistakes)
    return items, said


def _lists(document: Record) -> dict[str, list[object]]:
    """Tag -> its tasks; the tag of the older layout is "". A tag may be called ``tasks``."""
    found: dict[str, list[object]] = {}
    for key, value in document.items():
        if key == "tasks" and isinstance(value, list):
            found[""] = value
        elif isinstance(value, dict) and isinstance(value.get("tasks"), list):
            found[key] = value["tasks"]
    return found


def _refuse_other_tools(document: Record, origin: str) -> None:
    """``InputError`` for lists of tasks that other tools keep under the same name."""
    for tasks in _lists(document).values():
        records = [t for t in tasks if isinstance(t, dict)]
        tied = any("dependencies" in t or "subtasks" in t for t in records)
        for key, tool in _NEVER if tied else (*_NEVER, *_TOOLS):
            if any(key in t for t in records):
                found = f"a tasks.json of {tool}"
                allowed = "one of Task Master, whose tasks have dependencies or subtasks"
                raise InputError(origin, [Mistake(TOP, found, allowed)])


def _chosen(document: Record, tag: str | None, origin: str) -> tuple[str, str, list[str]]:
    """The tag to read, the path of its list, and what was assumed."""
    lists = _lists(document)
    if not lists:
        raise InputError(origin, [Mistake("tasks", "no list of tasks", "tasks at the top, or in tags")])
    tags = [name for name in lists if name]
    if tag is not None and tag not in tags:
        hint = did_you_mean(tag, tags)
        raise InputError(origin, [Mistake("--tag", repr(tag), ", ".join(tags) or "none: the file has no tags", hint)])
    found = tag or next((name for name in (DEFAULT_TAG, "") if name in lists), tags[0] if tags else "")
    path = join(join("", found), "tasks") if found else "tasks"
    if len(lists) == 1:
        return found, path, []
    named = f"the tag {found!r} is" if found else "the list without a tag is"
    others = ", ".join(name or "without a tag" for name in lists if name != found)
    return found, path, [f"{named} read, of {len(lists)} lists (--tag chooses; also {others})"]


def _items(tasks: Sequence[object], place: str, mistakes: list[Mistake]) -> dict[str, _Item]:
    """Tasks and subtasks by their ids in the problem. Each task stands before its subtasks."""
    items: dict[str, _Item] = {}
    if not tasks:
        mistakes.append(Mistake(place, "an empty list", "at least one task"))
    for k, task in enumerate(tasks):
        item = _item(task, f"{place}[{k}]", "", items, mistakes)
        subtasks = task.get("subtasks") if isinstance(task, dict) else None
        if item is None or subtasks is None:
            continue
        if not isinstance(subtasks, list):
            mistakes.append(Mistake(f"{item.place}.subtasks", describe(subtasks), "a list"))
            continue
        for j, subtask in enumerate(subtasks):
            inner = _item(subtask, f"{item.place}.subtasks[{j}]", item.name, items, mistakes)
            if inner is not None:
                item.subtasks.append(inner.name)
    return items


def _item(record: object, place: str, parent: str, items: dict[str, _Item], mistakes: list[Mistake]) -> _Item | None:
    """One record as an item, put among ``items``; None for one without an id."""
    if not isinstance(record, dict):
        mistakes.append(Mistake(place, describe(record), "an object"))
        return None
    own = _id(record.get("id"))
    if own is None:
        found = describe(record["id"]) if "id" in record else "nothing"
        mistakes.append(Mistake(f"{place}.id", found, "a number or a text"))
        return None
    # Some versions write the whole id of a subtask, `5.2`, others its own part.
    name = own if not parent or own.startswith(f"{parent}.") else f"{parent}.{own}"
    if name in items:
        mistakes.append(Mistake(f"{place}.id", describe(name), f"each id once; it stands at {items[name].place}"))
        return None
    item = items[name] = _Item(name, place, _complexity(record, place, mistakes), parent=parent or None)
    dependencies = record.get("dependencies", [])
    if dependencies is None:
        dependencies = []
    if not isinstance(dependencies, list):
        mistakes.append(Mistake(f"{place}.dependencies", describe(dependencies), "a list of ids"))
        return item
    for k, value in enumerate(dependencies):
        text = _id(value)
        if text is None:
            mistakes.append(Mistake(f"{place}.dependencies[{k}]", describe(value), "the id of a task or subtask"))
        else:
            item.after.append((text, f"{place}.dependencies[{k}]"))
    return item


def _id(value: object) -> str | None:
    """An id as text: 5 and "5" are one id, and so is 1.2, which some write as a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return str(value).strip() or None


def _complexity(record: Record, place: str, mistakes: list[Mistake]) -> Decimal | None:
    for key in ("complexity", "complexityScore"):
        value = record.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
            mistakes.append(Mistake(f"{place}.{key}", describe(value), "a number of points, 1 to 10"))
            return None
        return Decimal(str(value))
    return None


def _resolve(items: Mapping[str, _Item], mistakes: list[Mistake]) -> None:
    """Replace what items depend on by ids in the problem; what nobody is called is a mistake."""
    for item in items.values():
        resolved = []
        for text, place in item.after:
            sibling = f"{item.parent}.{text}"
            is_sibling = item.parent is not None and sibling in items and not (sibling == item.name and text in items)
            name = sibling if is_sibling else text
            if name not in items:
                hint = did_you_mean(text, items)
                mistakes.append(Mistake(place, describe(text), "the id of a task or subtask", hint))
            elif name == item.name:
                mistakes.append(Mistake(place, f"{name!r} itself", "another task"))
            else:
                resolved.append((name, place))
        item.after = resolved


def _after(item: _Item, items: Mapping[str, _Item]) -> Iterator[str]:
    """What ``item`` follows: its dependencies and its parent's, and its subtasks. Its parent cannot precede it."""
    stated = [name for name, _ in item.after]
    if item.parent is not None:
        siblings = items[item.parent].subtasks
        stated += [name for name, _ in items[item.parent].after if name not in siblings]
    yield from dict.fromkeys(name for name in (*stated, *item.subtasks) if name != item.parent)


def _milliseconds(item: _Item, items: Mapping[str, _Item]) -> Decimal | None:
    """A second for each point; subtasks share their parent's points, and the parent itself is the moment of its end."""
    if item.subtasks:
        return Decimal(0)
    if item.complexity is not None or item.parent is None:
        points = item.complexity
    else:
        whole = items[item.parent]
        points = None if whole.complexity is None else whole.complexity / len(whole.subtasks)
    return None if points is None else points * 1000


def _analysed(items: dict[str, _Item], report: Record, path: Path, *, add: bool) -> str:
    """Put the complexities of a report into ``items``, and say of how many tasks; ``add``: its tasks are the items."""
    listed = report.get("complexityAnalysis")
    if not isinstance(listed, list):
        raise InputError(str(path), [Mistake("complexityAnalysis", describe(listed), "a list")])
    mistakes: list[Mistake] = []
    known = 0
    for k, record in enumerate(listed):
        place = f"complexityAnalysis[{k}]"
        if not isinstance(record, dict) or (name := _id(record.get("taskId"))) is None:
            mistakes.append(Mistake(f"{place}.taskId", "nothing", "the id of a task"))
            continue
        if add and name not in items:
            items[name] = _Item(name, place)
        if name in items:
            points = _complexity(record, place, mistakes)
            items[name].complexity = points if points is not None else items[name].complexity
            known += 1
    refuse(str(path), mistakes)
    strange = f"; {len(listed) - known} others are of no task here" if known < len(listed) else ""
    return f"{path.name} gives the complexity of {known} tasks{strange}"


def _assumptions(items: Mapping[str, _Item]) -> Iterator[str]:
    rated = sum(item.complexity is not None for item in items.values())
    if rated:
        yield f"a point of complexity (of {rated} tasks) lasts 1 s, and subtasks share what their task states"
    parents = sum(bool(item.subtasks) for item in items.values())
    if parents:
        yield f"tasks with subtasks ({parents}) are the moment at which all of those are done"
    yield "statuses and priorities are ignored: what is done is planned too"
