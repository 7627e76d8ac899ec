"""Everything that can go wrong, as one tree.

::

    CatalyticError
    ├── TaskFailed            a task of a run failed                         exit 1
    ├── InputError            a file or argument is wrong (all mistakes)     exit 2
    ├── ProvedInfeasible      no plan exists, and the reason                 exit 3
    ├── NothingFound          time ran out, nothing (good enough) found      exit 4
    ├── IntegrityError        bytes or a plan are not what was promised      exit 5
    │   ├── InvalidPlan       a plan violates the rules
    │   └── CorruptRegion     bytes of a region differ from their digest
    ├── WorkspaceBusy         another run owns the workspace                 exit 6
    ├── RunCancelled          cancelled on request                           exit 7
    ├── Refused               refused by policy or gate                      exit 8
    └── StorageError          I/O error or no space                          exit 9

Families carry the exit code; a leaf inherits it. Every message names the place, what was found, what is allowed,
and the next step, as far as the raising code knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class CatalyticError(Exception):
    """Root of the tree: everything a caller may expect and catch."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake of an input: where (a path such as ``tasks[3].inputs[0]``), what was found, what is allowed."""

    path: str
    found: str
    allowed: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.path}: found {self.found}, allowed {self.allowed}{hint}"


class InputError(CatalyticError):
    """A file or an argument cannot be accepted. Carries every mistake that was found, not only the first."""

    exit_code = 2

    def __init__(self, origin: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(origin, tuple(mistakes))
        self.origin = origin
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        count = len(self.mistakes)
        if count == 1:
            return f"{self.origin}: {self.mistakes[0]}"
        return "\n".join([f"{self.origin}: {count} mistakes", *(f"  {m}" for m in self.mistakes)])


class ProvedInfeasible(CatalyticError):
    """No plan exists that meets what was asked. ``remedies`` are command lines or changes that would work."""

    exit_code = 3

    def __init__(self, reason: str, remedies: Sequence[str] = ()) -> None:
        super().__init__(reason, tuple(remedies))
        self.reason = reason
        self.remedies = tuple(remedies)

    def __str__(self) -> str:
        return "\n".join([self.reason, *(f"  try: {remedy}" for remedy in self.remedies)])


class NothingFound(CatalyticError):
    """The time limit was reached before a plan (good enough) was found; none was proved impossible either."""

    exit_code = 4


class IntegrityError(CatalyticError):
    """Bytes, or a plan, are not what was promised."""

    exit_code = 5


class InvalidPlan(IntegrityError):
    """A plan violates the rules. ``violations`` lists every broken rule as one sentence each."""

    def __init__(self, violations: Sequence[str]) -> None:
        super().__init__(tuple(violations))
        self.violations = tuple(violations)

    def __str__(self) -> str:
        shown = [f"  {v}" for v in self.violations[:20]]
        more = [f"  ... and {len(self.violations) - 20} more"] if len(self.violations) > 20 else []
        return "\n".join([f"the plan violates {len(self.violations)} rule(s):", *shown, *more])


class CorruptRegion(IntegrityError):
    """The bytes of a region are not the bytes the journal promised."""

    def __init__(self, region: str, *, expected: str, actual: str, next_step: str = "") -> None:
        super().__init__(region, expected, actual, next_step)
        self.region, self.expected, self.actual, self.next_step = region, expected, actual, next_step

    def __str__(self) -> str:
        step = f" {self.next_step}" if self.next_step else ""
        return f"region {self.region!r} is corrupt: expected digest {self.expected}, found {self.actual}.{step}"


class WorkspaceBusy(CatalyticError):
    """Another run owns the workspace."""

    exit_code = 6


class RunCancelled(CatalyticError):
    """The run was cancelled on request."""

    exit_code = 7


class Refused(CatalyticError):
    """A policy or gate forbids what was asked."""

    exit_code = 8


class StorageError(CatalyticError):
    """The operating system could not read, write or reserve bytes."""

    exit_code = 9


class TaskFailed(CatalyticError):
    """At least one task of a run failed."""

    exit_code = 1
