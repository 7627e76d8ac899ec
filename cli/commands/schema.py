"""``catalytic schema``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, exit_codes


@click.command("schema", context_settings=CONTEXT, epilog=exit_codes(0, 2, 9))
@click.argument("kind", type=click.Choice(["problem", "plan", "strategy"]))
@click.option("-o", "--output", "file", type=ANY_FILE, help="File to write. [default: stdout]")
def command(kind: str, file: Path | None) -> int:
    """Print the JSON Schema of problem, plan or strategy files.

    Draft 2020-12, complete in one file: editors complete and check with it, other programs validate. What a schema
    cannot say (ids that occur once, cycles, sizes that fit) `catalytic check` does.
    """
    from catalytic.app.files import write_whole
    from catalytic.solver.formats.schemas import schema_text

    if file is None:
        output.document(schema_text(kind).rstrip(b"\n"))
    else:
        write_whole(file, schema_text(kind))
        output.note(f"wrote {file}")
    return 0
