"""What commands write: results on stdout, one-line messages on stderr."""

from __future__ import annotations

import errno
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import click

from tiepoint.errors import InputError
from tiepoint.saving import replace_together

# Control characters, line separators, those that turn the direction of writing, and what UTF-8
# cannot hold: a terminal would obey them, or show another text than there is.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_WRONG_PATH = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What says that another path has to be given, and nothing of the disk's state."""


def printable(text: str) -> str:
    r"""Return a text, such as an id or a file's name, in one line that a terminal cannot obey.

    >>> printable("a\x1b[31m\ud800")
    'a\\x1b[31m\\ud800'
    """
    return _UNSAFE.sub(lambda match: ascii(match.group())[1:-1], text)


def print_json(data: Any) -> None:
    """Write data to stdout as indented JSON, in UTF-8 and with keys in their given order."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    # JSON leaves some of these characters as they are; they can stand in strings only.
    lines = (
        _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", line) for line in text.split("\n")
    )
    click.echo("\n".join(lines))


def write_json(path: Path, data: Any) -> None:
    """Write data to a file as indented JSON, in UTF-8.

    Raises:
        InputError: There can be no such file.
    """
    write_file(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user has named; its folder is made if absent.

    A failure, as where the disk is full, leaves the file that was there before. A link, or
    what is no file (such as /dev/stdout), is written to and not replaced.

    Raises:
        InputError: There can be no such file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(content)
        else:
            replace_together({path: content})
    except OSError as error:
        if error.errno not in _WRONG_PATH:
            raise
        raise InputError(
            f"the file cannot be written ({error.strerror})",
            where=str(path),
            hint="Give another path.",
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder that the user has named, if absent.

    Raises:
        InputError: There can be no such folder.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _WRONG_PATH:
            raise
        raise InputError(
            f"the folder cannot be made ({error.strerror})",
            where=str(path),
            hint="Name another one.",
        ) from error


def echo(text: str) -> None:
    """Write one line to stdout, with what a terminal would obey escaped."""
    click.echo(printable(text))


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Write rows under a header, in columns as wide as their longest cell."""
    lines = [tuple(printable(cell) for cell in line) for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def say(message: str) -> None:
    """Write one line about the work to stderr."""
    click.echo(f"tiepoint: {printable(' '.join(message.split()))}", err=True)


@cache
def warn(message: str) -> None:
    """Write a warning to stderr, once however often it is given."""
    say(f"warning: {message}")
