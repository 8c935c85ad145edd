"""A clip: a video file, or the stretch of it between two times."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tiepoint.encoders.digests import file_digest
from tiepoint.encoders.files import read_bytes
from tiepoint.errors import DecodeError

MAX_BYTES = 16 * 2**30
"""Largest video file that is opened."""

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_MARK = "#t="
_RANGE = re.compile(rf"({_NUMBER})?(?:,({_NUMBER}))?")
_AS_RANGE = "Give it as #t=START,END in seconds."


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a video.

    Attributes:
        source: The file, or its content.
        start_s: Where it begins, in seconds from the beginning of the video.
        end_s: Where it ends; None for the end of the video.

    Raises:
        DecodeError: The times do not follow each other.
    """

    source: Path | bytes
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if self.end_s is not None and not self.start_s < self.end_s:
            raise DecodeError(
                f"the time range ends at {self.end_s:g} s, and begins at {self.start_s:g} s",
                where=self.where,
                hint=_AS_RANGE,
            )

    @classmethod
    def of(cls, part: Any) -> Clip:
        """Return the clip that a part stands for.

        Args:
            part: A clip; a path, bytes or a binary file; or a path with a time range in the
                form of a media fragment (W3C Media Fragments URI 1.0), `talk.mp4#t=10,20.5`,
                `#t=10` or `#t=,20`. A file that has such a name is itself meant.

        Raises:
            DecodeError: It is none of these, or its times cannot be read or do not follow each
                other.
        """
        if isinstance(part, Clip):
            return part
        if not isinstance(part, str | os.PathLike):
            return cls(read_bytes(part))
        name = os.fspath(part)
        file, mark, times = name.rpartition(_MARK)
        if not (file and mark) or Path(name).exists():
            return cls(Path(name))
        found = _RANGE.fullmatch(times)
        if found is None or not (found[1] or found[2]):
            raise DecodeError(
                f"the time range {times!r:.80} cannot be read", where=file, hint=_AS_RANGE
            )
        return cls(Path(file), float(found[1] or 0), float(found[2]) if found[2] else None)

    @property
    def where(self) -> str | None:
        """The file with the time range, as `of` takes it; None for bytes."""
        if isinstance(self.source, bytes):
            return None
        if self.start_s == 0 and self.end_s is None:
            return str(self.source)
        return f"{self.source}#t={self.range}"

    @property
    def range(self) -> str:
        """The times in seconds to the millisecond: `10,20.5`, or `10` up to the end."""
        end = "" if self.end_s is None else f",{seconds(self.end_s)}"
        return f"{seconds(self.start_s)}{end}"

    def content_digest(self) -> str:
        """Return the SHA-256 of the video's content and of the time range, in hexadecimal.

        Raises:
            DecodeError: The file cannot be read.
        """
        if isinstance(self.source, bytes):
            content = hashlib.sha256(self.source).hexdigest()
        else:
            self._check(self.source)
            content = file_digest(self.source)
        if self.start_s == 0 and self.end_s is None:
            return content
        return hashlib.sha256(f"{content} {self.start_s!r} {self.end_s!r}".encode()).hexdigest()

    def open(self) -> BinaryIO:
        """Open the video for reading.

        Raises:
            DecodeError: There is no such regular file, or it is empty or too large.
        """
        if isinstance(self.source, bytes):
            return io.BytesIO(self.source)
        self._check(self.source)
        return self.source.open("rb")

    def _check(self, path: Path) -> None:
        try:
            status = path.stat()
            with path.open("rb"):
                pass
        except FileNotFoundError:
            raise DecodeError("no such file", where=str(path), hint="Check the path.") from None
        except IsADirectoryError:
            raise DecodeError("it is a folder", where=str(path), hint="Name a file.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DecodeError(f"the file cannot be read: {reason}", where=str(path)) from error
        if not stat.S_ISREG(status.st_mode):
            raise DecodeError("it is not a regular file", where=str(path), hint="Name a file.")
        if not status.st_size:
            raise DecodeError("the file is empty (0 bytes)", where=str(path), hint="Replace it.")
        if status.st_size > MAX_BYTES:
            raise DecodeError(
                f"the file is larger than {MAX_BYTES >> 30} GiB",
                where=str(path),
                hint="Cut it into parts.",
            )


def seconds(value: float) -> str:
    """Return a time to the millisecond, without zeros at the end.

    >>> seconds(12.5), seconds(3.0)
    ('12.5', '3')
    """
    return f"{value:.3f}".rstrip("0").rstrip(".")
