"""A file or a folder as a query: a picture, a view, or a whole study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiepoint.encoders.readers import is_dicom, is_dicom_file
from tiepoint.errors import InputError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.values import text_of
from tiepoint_medical.archive.incoming import Views
from tiepoint_medical.archive.studies import Study, read_studies


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """An image, or a study's images, with whose they are.

    Attributes:
        image: As `MedicalService.match` takes it.
        patient: The patient's identifier, where the header has one.
        study: The study's.
        files: The DICOM files; none of another picture.
        report: What the study's own report says; empty for a single file.
    """

    image: Any
    patient: str | None = None
    study: str | None = None
    files: tuple[Path, ...] = ()
    report: str = ""


def query_of(path: Path) -> ImageQuery:
    """Return what a path asks for: a picture, a DICOM file, or a folder that holds one study.

    Raises:
        DecodeError: The file is DICOM that cannot be read.
        InputError: There is nothing, or not exactly one study.
    """
    if path.is_dir():
        found = list(read_studies(path))
        studies = [one for one in found if isinstance(one, Study) and one.volumes]
        if len(studies) != 1:
            reasons = {one.reason for one in found if isinstance(one, Skipped)}
            raise InputError(
                f"the folder holds {len(studies)} studies with images",
                where=str(path),
                hint="; ".join(sorted(reasons)[:3]) or "Give one study's folder, or --batch.",
            )
        return of_study(studies[0])
    if not path.is_file():
        raise InputError("no such file or folder", where=str(path), hint="Check the path.")
    if not is_dicom_file(path):
        return ImageQuery(path)
    return ImageQuery(path, *_whose(path), (path,))


def of_upload(content: bytes) -> ImageQuery:
    """Return a file's content as a query: DICOM, or another picture.

    Raises:
        DecodeError: It is DICOM that cannot be read.
    """
    return ImageQuery(content, *(_whose(content) if is_dicom(content) else ()))


def _whose(part: Path | bytes) -> tuple[str | None, str | None]:
    found = read_dicom(part, pixels=False)
    return text_of(found.dataset, "PatientID"), found.uid("StudyInstanceUID")


def of_study(study: Study) -> ImageQuery:
    """Return a whole study as a query: all its views and volumes, each weighing alike."""
    return ImageQuery(Views(study.volumes), study.patient, study.uid, study.files, study.report)
