"""Footage kept as folders of pictures: one folder is one clip, in the order of its names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import InputError
from tiepoint.sequences.natural_order import NameKey, natural_order

_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"))


@dataclass(frozen=True, slots=True)
class FrameFolder:
    """A clip whose frames are files.

    Attributes:
        path: The folder.
        frames: Its pictures in order of time.
    """

    path: Path
    frames: tuple[Path, ...]


def frame_folders(root: Path) -> list[FrameFolder]:
    """Return every folder of frames in or below a folder, in the natural order of their names.

    Raises:
        InputError: There is no such folder, or no picture in it.
    """
    if not root.is_dir():
        raise InputError("there is no such folder", where=str(root), hint="Check the path.")
    pictures: dict[Path, list[Path]] = {}
    for path in root.rglob("*"):
        if is_picture(path) and path.is_file():
            pictures.setdefault(path.parent, []).append(path)
    if not pictures:
        raise InputError(
            "there are no pictures in or below this folder",
            where=str(root),
            hint="Give a folder that holds one folder of frames for each clip.",
        )
    return [
        FrameFolder(folder, tuple(sorted(pictures[folder], key=_by_name)))
        for folder in sorted(pictures, key=_by_name)
    ]


def _by_name(path: Path) -> NameKey:
    return natural_order(str(path))


def is_picture(path: Path) -> bool:
    """Tell by its name whether a file is taken as a frame.

    Hidden ones are none: archives made on a Mac bring a `._001.tif` beside each `001.tif`.
    """
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
