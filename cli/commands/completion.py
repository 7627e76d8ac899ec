"""``catalytic completion``."""

from __future__ import annotations

import rich_click as click
from click.shell_completion import get_completion_class

from ..options import CONTEXT, exit_codes


@click.command("completion", context_settings=CONTEXT, epilog=exit_codes(0, 2))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for SHELL.

    Bash: `eval "$(catalytic completion bash)"`; the same for zsh. Fish: `catalytic completion fish | source`.
    """
    from ..main import program

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(program, {}, "catalytic", "_CATALYTIC_COMPLETE")
    # Not `script.source()`: for bash it starts a shell to learn its version, and printing a script needs none.
    click.echo(script.source_template % script.source_vars())
    return 0
