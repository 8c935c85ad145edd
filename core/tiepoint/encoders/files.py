"""The bytes of a part that is a file: there, not empty, and not without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from tiepoint.errors import DecodeError
from tiepoint.types import TEXT, Modality

MAX_BYTES = 256 * 2**20
"""Largest file that is read."""


def is_file(part: Any, modality: Modality) -> bool:
    """Tell whether a part is read from a file: a path, or an open file."""
    if isinstance(part, str):
        return modality != TEXT
    return isinstance(part, os.PathLike) or (hasattr(part, "read") and not hasattr(part, "getexif"))


def read_bytes(part: Any) -> bytes:
    """Return the bytes of a path, of a bytes-like object, or of a binary file.

    Raises:
        DecodeError: There is no such regular file, it is empty or too large, or the part is
            of another type.
    """
    where = None
    if isinstance(part, bytes | bytearray | memoryview):
        content = bytes(part)
    elif isinstance(part, str | os.PathLike):
        where = os.fspath(part)
        content = _read_file(Path(part))
    elif hasattr(part, "read"):
        content = part.read(MAX_BYTES + 1)
    else:
        raise DecodeError(
            f"a {type(part).__name__} cannot be read",
            hint="Give a path, bytes or a binary file.",
        )
    if not content:
        raise DecodeError("the file is empty (0 bytes)", where=where, hint="Replace it.")
    if len(content) > MAX_BYTES:
        raise DecodeError(
            f"the file is larger than {MAX_BYTES >> 20} MiB", where=where, hint="Make it smaller."
        )
    return content


def _read_file(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise DecodeError(f"it is {kind}", where=str(path), hint="Name a file.")
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DecodeError("no such file", where=str(path), hint="Check the path.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DecodeError(f"the file cannot be read: {reason}", where=str(path)) from error
