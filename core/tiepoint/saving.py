"""Files that take the place of others only when all of them are written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced_together(*paths: Path) -> Iterator[list[Path]]:
    """Give partial files to write, which become the named ones in their order.

    Where writing fails, the former files are as they were and nothing partial is left.

    Args:
        paths: The files, in one existing folder or several; the one that vouches for the
            others, such as a card, comes last.
    """
    partials = [path.with_name(f"{path.name}.partial") for path in paths]
    try:
        yield partials
        for partial, path in zip(partials, paths, strict=True):
            partial.replace(path)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def replace_together(contents: Mapping[Path, bytes]) -> None:
    """Write files; a failure leaves all those before them. See `replaced_together`.

    Args:
        contents: What each file holds, the one that vouches for the others last.

    Raises:
        OSError: A file cannot be written, as where the disk is full.
    """
    with replaced_together(*contents) as partials:
        for partial, content in zip(partials, contents.values(), strict=True):
            partial.write_bytes(content)


def make_private(path: Path) -> None:
    """Make an empty file for this user only, where there is none; SQLite lets others read its own.

    A file that is there is not opened: closing it would drop the locks that SQLite holds on it in
    this process (sqlite.org/howtocorrupt.html, 2.2), and another process could then remove the log
    of a database in use, with what was written to it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
