"""Cases from a table: an image, its report, its patient, and a label to score by."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import InputError

PLACEHOLDERS = frozenset({"", "todo", "no finding", "nan", "none", "unknown"})
"""Values of the label column that are no label, in lower case."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of the table say what."""

    image: str
    text: str
    label: str
    group: str


@dataclass(frozen=True, slots=True)
class Case:
    """One image with its report.

    Attributes:
        image: The file as the table writes it.
        path: Where it is.
        text: The report, with white space made even; equal reports are one candidate.
        label: What it is scored by; None for a placeholder.
        group: The patient.
    """

    image: str
    path: Path
    text: str
    label: str | None
    group: str


def read_cases(metadata: Path, root: Path, columns: Columns) -> list[Case]:
    """Return the rows that have a report, in the order of the table.

    Args:
        metadata: A CSV file with a header, UTF-8.
        root: The folder of the images; or one whose subfolder `images` has them.
        columns: Which columns say what.

    Raises:
        InputError: The table cannot be read, lacks a column, has no usable row, or names an
            image twice or outside the folder.
    """
    try:
        with metadata.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            header = table.fieldnames or []
            wanted = (columns.image, columns.text, columns.label, columns.group)
            missing = [column for column in wanted if column not in header]
            if missing:
                raise InputError(
                    f"there is no column {missing[0]!r}",
                    where=str(metadata),
                    hint=f"Its columns are {', '.join(header[:40])}.",
                )
            rows = [[row.get(column) or "" for column in wanted] for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"the table cannot be read ({error})", where=str(metadata), hint="Check the file."
        ) from error
    folder = _folder(root, [row[0] for row in rows], metadata)
    cases: dict[str, Case] = {}
    for number, (image, text, label, group) in enumerate(rows, 2):
        text = " ".join(text.split())
        if not text or not image.strip():
            continue
        where = f"{metadata}:{number}"
        if not group.strip():
            raise InputError(f"the column {columns.group!r} is empty", where=where)
        if image in cases:
            raise InputError("the image is named twice", where=where, hint="Name each once.")
        known = label.strip() if label.strip().lower() not in PLACEHOLDERS else None
        path = (folder / image).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InputError("the image is outside the folder", where=where, hint="Move it.")
        cases[image] = Case(image, path, text, known, group.strip())
    if not cases:
        raise InputError("no row has an image and a report", where=str(metadata))
    return list(cases.values())


def check_apart(fitted_on: Sequence[Case], scored: Sequence[Case]) -> None:
    """Refuse cases of which a patient would be both fitted on and scored.

    Raises:
        InputError: There is one.
    """
    shared = {case.group for case in fitted_on} & {case.group for case in scored}
    if shared:
        raise InputError(
            f"{len(shared)} patients are in both tables",
            hint="Split by patient: what is fitted on must not be scored.",
        )


def _folder(root: Path, images: Sequence[str], metadata: Path) -> Path:
    for folder in (root, root / "images"):
        if any((folder / image).is_file() for image in images if image.strip()):
            return folder
    raise InputError(
        f"none of the images that {metadata.name} names is there",
        where=str(root),
        hint="Give the folder of the images as --root.",
    )
