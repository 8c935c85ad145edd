"""One file as pictures, and what there is to say of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PIL import Image

from tiepoint.errors import DecodeError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.finding import name_below
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
from tiepoint_adapters.dicom.rendering import rendered

_UNUSUAL = re.compile(r"[^\w.+=@-]+")


def shown(
    file: Path | Skipped, root: Path, out: Path, *, all_frames: bool = False, window: int = 0
) -> dict[str, Any]:
    """Write a file's pictures and return its entry in the list of `tiepoint medical show`.

    Args:
        file: A DICOM file, or why it cannot be one.
        root: The folder that it was found in, or the file itself.
        out: The folder that takes the pictures.
        all_frames: Whether every frame is written; else the first, the middle and the last.
        window: Which of several windows, from 0.
    """
    if isinstance(file, Skipped):
        return _entry(file.where, ok=False, reason=file.reason)
    name = name_below(file, root)
    try:
        part = read_dicom(file)
    except DecodeError as error:
        return _entry(name, ok=False, reason=error.what)
    if not part.has_pixels:
        reason = f"{part.class_name} ({part.kind}): no pixels"
        return _entry(name, part, ok=True, reason=reason)
    written: list[Path] = []
    try:
        indices = range(part.frames) if all_frames else shown_frames(part.frames)
        for index, picture in zip(indices, rendered(part, indices, window), strict=True):
            target = out / _picture_name(name, index, part.frames)
            Image.fromarray(picture).save(target)
            written.append(target)
    except DecodeError as error:
        for target in written:
            target.unlink()
        return _entry(name, part, ok=False, reason=error.what)
    return _entry(name, part, ok=True, png=[str(target.absolute()) for target in written])


def shown_frames(count: int) -> list[int]:
    """Return the first, the middle and the last of so many frames, each once.

    >>> shown_frames(1), shown_frames(2), shown_frames(10)
    ([0], [0, 1], [0, 5, 9])
    """
    return sorted({0, count // 2, count - 1})


def _picture_name(name: str, index: int, count: int) -> str:
    plain = _UNUSUAL.sub("_", name.replace("/", "__"))
    return f"{plain}.png" if count == 1 else f"{plain}.{index + 1:05d}.png"


def _entry(
    name: str,
    part: DicomObject | None = None,
    *,
    ok: bool,
    reason: str | None = None,
    png: list[str] | None = None,
) -> dict[str, Any]:
    syntax = part.transfer_syntax if part is not None else None
    return {
        "file": name,
        "ok": ok,
        "reason": reason,
        "modality": part.modality if part is not None else None,
        "transfer_syntax": str(syntax) if syntax is not None else None,
        "frames": part.frames if part is not None else 0,
        "png": png or [],
    }
