"""A cell of a study: one problem, one configuration, one seed, and what it may cost."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.formats.json_text import digest_json

from .configuration import Configuration
from .instances import Instance

Place = tuple[str, str, int]
"""Where a cell stands in the table of a study: names of its problem and its configuration, and its seed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends a cell: ``grace_s`` seconds beyond its own time limit, or more resident ``memory`` (None: any)."""

    grace_s: float = 15.0
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One search, to be made in a process of its own. ``number``: its place in the order of its batch."""

    instance: Instance
    configuration: Configuration
    seed: int
    limits: Limits = Limits()
    number: int = 0

    @property
    def place(self) -> Place:
        return (self.instance.name, self.configuration.name, self.seed)

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of the place and of all that may change the answer: equal cells are made once."""
        return digest_json(
            {
                "place": list(self.place),
                "problem": self.instance.digest,
                "configuration": self.configuration.digest,
                "memory": self.limits.memory,
            }
        )

    @property
    def plan_name(self) -> str:
        """A file name for the plan: readable, and different for every cell."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{self.instance.name}.{self.configuration.name}")[-80:].lstrip(
            "-."
        )
        return f"{readable}.{self.seed}.{self.digest[7:15]}.json"

    def command(self, plan: Path | None) -> tuple[str, ...]:
        """The words of a command line that makes this search by itself."""
        words = ("catalytic", "plan", str(self.instance.file), *self.configuration.words(), "--seed", str(self.seed))
        return words if plan is None else (*words, "-o", str(plan))


def cells(
    instances: Iterable[Instance], configurations: Iterable[Configuration], seeds: int, limits: Limits
) -> tuple[Cell, ...]:
    """Every cell. Seeds come last: a batch that is stopped early has compared all configurations on something."""
    problems, settings = tuple(instances), tuple(configurations)
    places = ((i, c, seed) for seed in range(seeds) for i in problems for c in settings)
    return tuple(Cell(i, c, seed, limits, number) for number, (i, c, seed) in enumerate(places))
