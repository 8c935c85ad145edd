"""`tiepoint completion`: the script by which a shell completes the command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_INSTALL = {
    "bash": 'eval "$(tiepoint completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(tiepoint completion zsh)"   in ~/.zshrc, after compinit',
    "fish": "tiepoint completion fish > ~/.config/fish/completions/tiepoint.fish",
}


@click.command(epilog="\b\n" + "\n".join(f"{shell:5} {line}" for shell, line in _INSTALL.items()))
@click.argument("shell", type=click.Choice(list(_INSTALL)))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    To install it, put the shell's line where it belongs:
    """
    make = get_completion_class(shell)
    if make is None:  # the choice above names click's own shells
        raise click.BadParameter(f"click does not know {shell}")
    from tiepoint.cli.main import COMPLETION, tiepoint

    click.echo(make(tiepoint, {}, "tiepoint", COMPLETION).source())
