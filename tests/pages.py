"""Pages of the documentation as scripts: their files, their commands and what these should answer.

A page is read from top to bottom, in a folder of its own. A fenced block with a caption is a file of that name; each
line of a ``console`` block that begins with ``$`` is a command, and the lines below it are its answer. ``# exit 3``
behind a command is its exit code (0 without it). In an answer a line ``...`` stands for any lines, ``...`` within a
line for any text; figures that no machine repeats (:data:`VOLATILE`) are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<kind>[\w{}.-]*)(?: (?P<argument>[\w-]+))?\s*$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its caption, its text, and the line it begins at."""

    kind: str
    caption: str | None
    text: str
    line: int


@dataclass
class Command:
    """A command, the exit code it states, the lines it answers, and where it stands."""

    words: str
    code: int
    line: int
    answer: list[str] = field(default_factory=list)


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        number += 1
        if opened is None:
            continue
        begun, body = number, []
        while lines[number] != opened["ticks"]:
            body.append(lines[number])
            number += 1
        number += 1
        kind, caption = opened["kind"], None
        if kind == "{code-block}":
            kind = opened["argument"]
            while body and body[0].startswith(":"):
                key, _, value = body.pop(0)[1:].partition(": ")
                caption = value if key == "caption" else caption
            if body and not body[0]:
                body.pop(0)
        yield Block(kind, caption, "\n".join(body) + "\n", begun)


def commands(block: Block) -> list[Command]:
    """The commands of a ``console`` block."""
    found: list[Command] = []
    for offset, line in enumerate(block.text.splitlines()):
        if line.startswith("$ "):
            code = re.search(r"# exit (\d+)\s*$", line)
            found.append(Command(line[2:], int(code.group(1)) if code else 0, block.line + offset + 1))
        elif found and found[-1].words.endswith("\\"):
            found[-1].words = found[-1].words[:-1] + line.strip()
        else:
            assert found, f"line {block.line + offset}: an answer without a command"
            found[-1].answer.append(line)
    return found


VOLATILE = (
    (r"executed in [\d.]+s \(run [0-9a-f]+\)", "executed in TIME (run RUN)"),
    (r"\b(planned|searched|hashed|sealed) (in|for) [\d.]+s", r"\1 TIME"),
    (r"verifications in [\d.]+s \([\d.]+% of task time\)", "verifications in TIME"),
    (r"last run: [0-9a-f]{12}", "last run: RUN"),
    (r"\bsearched  +[\d.]+s of", "searched TIME of"),
    (r"/[\w/.-]*/(?=[\w.-]+: (complete|planned|interrupted))", ""),
)
"""What is written down as it was once, and is different every time."""


def settled(line: str) -> str:
    """``line`` without what is different every time, and without blanks at its end."""
    for pattern, word in VOLATILE:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def disagreement(expected: list[str], actual: list[str]) -> str:
    """Why ``actual`` is not what ``expected`` describes; the empty text when it is."""
    parts: list[list[str]] = [[]]
    for line in expected:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(settled(line))
    said = [settled(line) for line in actual]
    at = 0
    for number, part in enumerate(parts):
        first, last = number == 0, number == len(parts) - 1
        starts = [at] if first else range(at, len(said) - len(part) + 1)
        if last and not first:
            starts = [len(said) - len(part)] if part else [len(said)]
        begin = next((s for s in starts if s >= at and _matches(part, said[s : s + len(part)])), None)
        if begin is None:
            return "\n".join([f"expected, from line {at + 1} on:", *part, "found:", *said])
        at = begin + len(part)
    if at != len(said) and len(parts) == 1:
        return "\n".join(["more than expected:", *said[at:]])
    return ""


def _matches(part: list[str], said: list[str]) -> bool:
    return len(part) == len(said) and all(
        re.fullmatch(".*".join(map(re.escape, line.split("..."))), found)
        for line, found in zip(part, said, strict=True)
    )


def pages(folder: Path) -> list[Path]:
    """Every page that is written by hand."""
    return [p for p in sorted(folder.rglob("*.md")) if "generated" not in p.parts]
