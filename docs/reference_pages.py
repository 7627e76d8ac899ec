"""The reference, written from the code: commands from click, files from their schemas, the library from its exports.

What is generated is never edited and never tracked: it lies in ``docs/reference/generated``. A test builds it, and
compares it with the code it stands for.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

import catalytic.solver
from catalytic.cli import main as cli
from catalytic.cli import task_master
from catalytic.cli.exit_codes import EXIT_CODES
from catalytic.solver import errors
from catalytic.solver.errors import CatalyticError
from catalytic.solver.families import FAMILIES
from catalytic.solver.formats.schemas import KINDS, schema


def write_reference(folder: Path) -> None:
    """Write every generated page into ``folder``; files that would not change are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "commands.md": commands_page(),
        "files.md": files_page(),
        "exit-codes.md": exit_codes_page(),
        "library.md": library_page(),
        "families.md": families_page(),
    }
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# -- commands ----------------------------------------------------------------------------------------------------


def commands_page() -> str:
    """Every command of both programs: usage, what it does, options, exit codes."""
    return "\n".join(
        ["# Commands", "", *_program(cli.program, "catalytic"), *_program(task_master.program, "task-master")]
    )


def _program(group: click.RichGroup, name: str) -> Iterator[str]:
    context = click.Context(group, info_name=name)
    yield f"## {name}"
    yield ""
    yield from _paragraphs(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=word, parent=context))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}"
    yield ""
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```"
    yield ""
    yield from _paragraphs(command)
    shown = [p for p in command.get_params(context) if p.name != "help"]
    rows = [found for found in (p.get_help_record(context) for p in shown) if found is not None and found[1]]
    yield "| option | meaning |"
    yield "|---|---|"
    for option, told in rows:
        yield f"| `{_cell(option)}` | {_cell(told)} |"
    yield ""
    if command.epilog:
        yield command.epilog
        yield ""


def _paragraphs(command: click.Command) -> Iterator[str]:
    """The help text of a command, a paragraph a line; what click leaves as it is typed is left so here."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b"):
            yield f"```text{paragraph[1:]}\n```"
        else:
            yield " ".join(paragraph.split())
        yield ""


def _cell(text: str) -> str:
    """``text`` for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


# -- files -------------------------------------------------------------------------------------------------------


def files_page() -> str:
    """Every record of every file of ours, key by key."""
    lines = [
        "# Files",
        "",
        "All files are JSON (UTF-8), refuse unknown keys, and state their format and its version. Every mistake of a "
        "file is told at once. `catalytic schema KIND` prints what this page is made from.",
        "",
    ]
    for kind in KINDS:
        whole = schema(kind)
        lines += [f"## {whole['title']}", "", f"{whole['description']} Schema: `{whole['$id']}`.", ""]
        if "properties" in whole:
            lines += _record(whole, kind)
        for name, record in whole["$defs"].items():
            if "properties" in record and "$id" not in record and not (kind == "strategy" and name in _shared()):
                lines += [f"### {kind}: {name}", "", record["description"], "", *_record(record, kind)]
    return "\n".join(lines)


def _shared() -> set[str]:
    """Records that a strategy has in common with a plan."""
    return set(schema("plan")["$defs"])


def _record(record: Mapping[str, Any], kind: str) -> list[str]:
    required = record.get("required", [])
    rows = ["| key | type | meaning |", "|---|---|---|"]
    for key, told in record["properties"].items():
        default = "" if told.get("default") in (None, [], {}) else f" Default: `{_json(told['default'])}`."
        needed = " **Required.**" if key in required else ""
        example = f" Example: `{_json(told['examples'][0])}`." if told.get("examples") else ""
        rows.append(f"| `{key}` | {_type(told)} | {_cell(told['description'] + default + needed + example)} |")
    return [*rows, ""]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _type(told: Mapping[str, Any]) -> str:
    """A schema in words."""
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        return "problem" if name.startswith("urn:") else name
    for key in ("anyOf", "oneOf"):
        if key in told:
            words = [_type(one) for one in told[key] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(words))
    if "enum" in told:
        return " or ".join(f"`{word}`" for word in told["enum"])
    if "const" in told:
        return f"`{_json(told['const'])}`"
    if told.get("type") == "array":
        return f"list of {_type(told['items'])}"
    if told.get("type") == "object":
        inner = told.get("additionalProperties")
        return f"name -> {_type(inner)}" if isinstance(inner, Mapping) else "object"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(told["type"], told["type"])


# -- exit codes and errors ---------------------------------------------------------------------------------------


def exit_codes_page() -> str:
    """What each code means, and the errors of the library that carry it."""
    lines = ["# Exit codes", "", "| code | meaning | errors of the library |", "|---|---|---|"]
    for code, meaning in EXIT_CODES.items():
        names = sorted(e.__name__ for e in _errors() if e.exit_code == code)
        lines.append(f"| {code} | {meaning} | {', '.join(f'`{name}`' for name in names)} |")
    tree = [_code(line).replace("`", "") for line in _tree(CatalyticError, "")]
    lines += ["", "The tree of errors:", "", "```text", *tree, "```", ""]
    return "\n".join(lines)


def _errors() -> list[type[CatalyticError]]:
    return [
        e
        for e in vars(errors).values()
        if isinstance(e, type) and issubclass(e, CatalyticError) and e is not CatalyticError
    ]


def _tree(error: type[CatalyticError], indent: str) -> Iterator[str]:
    told = (inspect.getdoc(error) or "").partition("\n")[0]
    yield f"{indent}{error.__name__}: {told}"
    for below in error.__subclasses__():
        yield from _tree(below, indent + "    ")


# -- library -----------------------------------------------------------------------------------------------------

SECTIONS: Mapping[str, Sequence[str]] = {
    "Building and planning": (
        "ProblemBuilder",
        "solve",
        "generate",
        "Outcome",
        "Status",
        "Objective",
        "Budget",
        "Progress",
    ),
    "Problems": (
        "Problem",
        "Task",
        "Buffer",
        "Pool",
        "Workspace",
        "Isolation",
        "Policy",
        "InputPolicy",
        "OutputPolicy",
        "PythonCall",
        "Command",
        "Synthetic",
    ),
    "Plans and proofs": ("Plan", "Proof", "Bound", "Evidence", "frames", "Frames"),
    "Files": ("load_problem", "dump_problem", "problem_digest", "load_plan", "dump_plan"),
    "Checking": ("violations", "CatalyticError", "InputError", "InvalidPlan", "Mistake"),
    "Units": ("Bytes", "Tick", "parse_size", "format_size"),
}
"""Where each exported name stands on the page; a test compares the two."""


def library_page() -> str:
    """Every name that ``catalytic.solver`` exports."""
    lines = ["# Library", "", "`catalytic.solver`: what it exports is loaded when it is first used.", ""]
    for title, names in SECTIONS.items():
        lines += [f"## {title}", "", "```{eval-rst}"]
        for name in names:
            value = getattr(catalytic.solver, name)
            if isinstance(value, type):
                lines += [f".. autoclass:: catalytic.solver.{name}", "   :members:", ""]
            elif inspect.isfunction(value):
                lines += [f".. autofunction:: catalytic.solver.{name}", ""]
            else:
                lines += [f".. autodata:: catalytic.solver.{name}", "   :no-value:", ""]
        lines += ["```", ""]
    return "\n".join(lines)


# -- families ----------------------------------------------------------------------------------------------------


def families_page() -> str:
    """Every family of generated problems."""
    lines = ["# Families of generated problems", ""]
    for name, family in sorted(FAMILIES.items()):
        told = [" ".join(p.split()) for p in inspect.cleandoc(family.build.__doc__ or "").split("\n\n")]
        lines += [f"## {name}", "", f"Models {family.models}.", "", *(line for p in told for line in (_code(p), ""))]
        lines += ["| parameter | default |", "|---|---|"]
        lines += [
            f"| `{key}` | {'automatic' if value is None else f'`{value}`'} |"
            for key, value in family.parameters.items()
        ]
        lines += ["", f"`--tasks` chooses `{family.grows}`.", ""]
    return "\n".join(lines)


def _code(text: str) -> str:
    """Literals of reStructuredText as those of Markdown."""
    return re.sub(r"``([^`]+)``", r"`\1`", text)
