"""Labels of frames: a CSV file with the columns `file,anomaly`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import InputError
from tiepoint_security.frames.folders import is_picture


@dataclass(frozen=True, slots=True)
class Label:
    """What is said of one frame.

    Attributes:
        file: The frame as the file of labels writes it.
        path: Where it is.
        anomaly: Whether it is abnormal.
    """

    file: str
    path: Path
    anomaly: bool


def read_labels(path: Path, root: Path) -> list[Label]:
    """Read a file of labels.

    Args:
        path: The CSV file: `file,anomaly`, the latter 0 or 1.
        root: The folder that the frames are looked up under; then its parent.

    Raises:
        InputError: Not such a file, a frame that is not there or named twice, no labels.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"the labels cannot be read ({error})", where=str(path), hint="Give a CSV file."
        ) from error
    if not rows:
        raise InputError("there are no labels in it", where=str(path), hint="Add rows.")
    if not {"file", "anomaly"} <= rows[0].keys():
        raise InputError(
            "the columns are not `file,anomaly`", where=str(path), hint="Name them so."
        )
    labels, seen = [], set()
    for line, row in enumerate(rows, 2):
        where = f"{path}, line {line}"
        if row["anomaly"] not in ("0", "1"):
            raise InputError(f"anomaly is {row['anomaly']!r}", where=where, hint="Write 0 or 1.")
        frame = _found(row["file"], root, where)
        if not is_picture(frame):
            raise InputError(f"{row['file']} is not a picture", where=where, hint="Remove it.")
        if frame in seen:
            raise InputError(f"{row['file']} has two labels", where=where, hint="Keep one.")
        seen.add(frame)
        labels.append(Label(row["file"], frame, row["anomaly"] == "1"))
    return labels


def _found(file: str, root: Path, where: str) -> Path:
    for folder in (root, root.absolute().parent):
        path = folder / file
        if path.is_file():
            return path.resolve()
    raise InputError(
        f"{file} is neither under {root} nor under its parent",
        where=where,
        hint="Check --test and the paths in the file.",
    )
