"""The folder of footage: what is in it, and how segments come into it and out of it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from tiepoint.encoders.images import Pixels
from tiepoint.errors import DecodeError
from tiepoint.saving import replace_together
from tiepoint_security.footage.moving import Cutouts
from tiepoint_security.footage.segment import CLIP, MOVING_CLIP, NOTE, THUMBNAIL, Segment

logger = logging.getLogger(__name__)

_THUMBNAIL_SIDE = 480
_SUFFIXES = (NOTE, THUMBNAIL, MOVING_CLIP, CLIP)


class FootageStore:
    """Segments on disk; one exists when its note does, which is written last.

    Args:
        folder: Where they are; made when the first one is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def begin(self, segment: Segment) -> Path:
        """Return where the clip of a segment is to be written.

        One of the same camera and beginning, as when a recording is read again, is replaced.
        """
        clip = self._file(segment, CLIP)
        clip.parent.mkdir(parents=True, exist_ok=True)
        return clip

    def finish(self, segment: Segment, thumbnail: Pixels, cutouts: Cutouts) -> None:
        """Add what else there is of a segment whose clip is written, and then the note.

        Args:
            segment: As it turned out.
            thumbnail: (h, w, 3) uint8 RGB.
            cutouts: What moved in it.
        """
        cutouts.write(self._file(segment, MOVING_CLIP))
        replace_together(
            {
                self._file(segment, THUMBNAIL): _jpeg(thumbnail),
                self._file(segment, NOTE): segment.note().encode(),
            }
        )

    def cameras(self) -> list[str]:
        """Return the cameras of which there is footage."""
        if not self.folder.is_dir():
            return []
        return sorted(unquote(folder.name) for folder in self.folder.iterdir() if folder.is_dir())

    def segments(self) -> Iterator[Segment]:
        """Yield what is there, by camera and time."""
        for note in sorted(self.folder.glob(f"*/*/*{NOTE}")):
            try:
                yield Segment.from_note(note.read_text("utf-8"))
            except (DecodeError, UnicodeDecodeError, OSError) as error:
                logger.warning("%s: not read (%s)", note, error)

    def size(self, segment: Segment) -> int:
        """Return how many bytes a segment takes; 0 if it is gone."""
        files = (self._file(segment, suffix) for suffix in _SUFFIXES)
        return sum(file.stat().st_size for file in files if file.is_file())

    def remove(self, segment: Segment) -> None:
        """Remove a segment's files, the note first, and the folder of its day if it is empty."""
        for suffix in _SUFFIXES:  # the note, which stands for them, first
            self._file(segment, suffix).unlink(missing_ok=True)
        day = self._file(segment, NOTE).parent
        if day.is_dir() and not any(day.iterdir()):
            day.rmdir()

    def remove_unfinished(self) -> int:
        """Remove what a process that died left without a note; return how many files.

        To be called while nothing is written.
        """
        unfinished = [
            file
            for file in self.folder.glob("*/*/*")
            if file.suffix == ".partial" or not _note_of(file).exists()
        ]
        for file in unfinished:
            file.unlink(missing_ok=True)
        return len(unfinished)

    def _file(self, segment: Segment, suffix: str) -> Path:
        return self.folder / f"{segment.stem}{suffix}"


def _note_of(file: Path) -> Path:
    """Return the note of the segment that a file is part of."""
    suffix = next((one for one in _SUFFIXES if file.name.endswith(one)), "")
    return file.with_name(file.name.removesuffix(suffix) + NOTE)


def _jpeg(pixels: Pixels) -> bytes:
    image = Image.fromarray(pixels)
    image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
