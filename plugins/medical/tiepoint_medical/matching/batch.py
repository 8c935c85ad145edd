"""Every study of a folder matched, one line each in a file: given again, it goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.errors import DecodeError, InputError
from tiepoint.types import Skipped
from tiepoint_medical.archive.asking import of_study
from tiepoint_medical.archive.studies import read_studies

if TYPE_CHECKING:
    from tiepoint_medical.service import MedicalService

_BEGINNING = b'{"study"'


@dataclass
class BatchReport:
    """What became of a folder's studies.

    Attributes:
        matched: How many were matched now.
        known: How many an earlier run had matched.
        skipped: What was left out, and why.
    """

    matched: int = 0
    known: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def match_studies(
    service: MedicalService,
    folder: Path,
    out: Path,
    k: int,
    keep: bool,
    progress: Callable[[int], None] | None = None,
) -> BatchReport:
    """Match each study of a folder by all its images and its report.

    Args:
        service: Of the archive.
        folder: Holds DICOM objects and reports.
        out: Takes a line of JSON a study, `{"study": pseudonym, "match": ...}`, on the disk
            before the next study is begun. Studies that are in it are passed over.
        k: How many neighbours.
        keep: Whether the matches go onto the worklist.
        progress: Called with the number of studies done.

    Raises:
        InputError: There is no such folder, or the file holds something else.
    """
    report = BatchReport()
    done = _done(out)
    with out.open("a", encoding="utf-8") as lines:
        for study in read_studies(folder):
            if isinstance(study, Skipped):
                report.skipped.append(study)
                continue
            name = service.pseudonyms("study", study.uid)
            if name in done:
                report.known += 1
                continue
            asked = of_study(study)
            try:
                found = service.match(
                    image=asked.image if study.volumes else None,
                    text=asked.report or None,
                    patient=asked.patient,
                    study=asked.study,
                    k=k,
                    keep=keep,
                )
            except DecodeError as error:
                report.skipped.append(Skipped(study.uid, error.what))
                continue
            lines.write(json.dumps({"study": name, "match": found.as_dict()}) + "\n")
            lines.flush()
            os.fsync(lines.fileno())
            report.matched += 1
            if progress is not None:
                progress(report.matched + report.known)
    return report


def _done(out: Path) -> set[str]:
    """Return the studies of a file, less the line that a kill cut short, which is taken off."""
    try:
        content = out.read_bytes() if out.exists() else b""
        whole, _, torn = content.rpartition(b"\n")
        done = {str(json.loads(line)["study"]) for line in whole.splitlines()}
        if torn:
            if not torn.startswith(_BEGINNING[: len(torn)]):
                raise ValueError("another file")
            with out.open("r+b") as file:
                file.truncate(len(content) - len(torn))
        return done
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "the file cannot take the matches", where=str(out), hint="Name a new file."
        ) from error
