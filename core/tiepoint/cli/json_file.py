"""`--json` of commands that measure: alone it prints, with a file it writes there.

Elsewhere `--json` is a plain flag; so it can be given alone everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tiepoint.cli.output import print_json, write_json

Command = TypeVar("Command", bound=Callable[..., Any])

STDOUT = Path("-")


def json_option(command: Command) -> Command:
    """Give a command the option `--json [FILE]`, as its argument `json_file`.

    None where it is not given, `STDOUT` where it stands alone.
    """
    return click.option(
        "--json",
        "json_file",
        is_flag=False,
        flag_value=str(STDOUT),
        metavar="[FILE]",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        help="Write the result to this file as JSON; print it if none is named.",
    )(command)


def deliver(json_file: Path | None, data: Any) -> bool:
    """Write or print a result as JSON, where that was asked for.

    Returns:
        Whether stdout is free for what people read.

    Raises:
        InputError: There can be no such file.
    """
    if json_file == STDOUT:
        print_json(data)
        return False
    if json_file is not None:
        write_json(json_file, data)
    return True
