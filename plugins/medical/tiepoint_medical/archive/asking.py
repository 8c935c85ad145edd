"""A file or a folder as a query: a picture, a view, or a whole study."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from tiepoint.encoders.readers import is_dicom, is_dicom_file
from tiepoint.errors import InputError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.values import text_of
from tiepoint_medical.archive.incoming import Views
from tiepoint_medical.archive.studies import Study, read_studies, studies_of


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
        return _one_study(read_studies(path), "the folder holds", str(path))
    if not path.is_file():
        raise InputError("no such file or folder", where=str(path), hint="Check the path.")
    if not is_dicom_file(path):
        return ImageQuery(path)
    return ImageQuery(path, *_whose(path), (path,))


@contextmanager
def of_uploads(uploads: Sequence[IO[bytes]]) -> Iterator[ImageQuery]:
    """Give uploads as a query: a picture, a DICOM file, or the files of one study.

    They are on the disk, readable by this user alone, until the query is done with.

    Raises:
        DecodeError: The one file is DICOM that cannot be read.
        InputError: They are not exactly one study.
    """
    with TemporaryDirectory(prefix="tiepoint-") as folder:
        files = written_to(Path(folder), uploads)
        if not files:
            yield ImageQuery(None)
        elif len(files) == 1:
            content = files[0].read_bytes()
            if is_dicom(content):
                yield ImageQuery(content, *_whose(content), (files[0],))
            else:
                yield ImageQuery(content)
        else:
            yield _one_study(studies_of(files, Path(folder)), "the files are of")


def written_to(folder: Path, uploads: Sequence[IO[bytes]]) -> list[Path]:
    """Write uploads into a folder as files that are called by their numbers, from 1."""
    files = [folder / f"{number:05}" for number in range(1, len(uploads) + 1)]
    for file, upload in zip(files, uploads, strict=True):
        with file.open("wb") as target:
            shutil.copyfileobj(upload, target, 1 << 20)
    return files


def _one_study(
    found: Iterable[Study | Skipped], holding: str, where: str | None = None
) -> ImageQuery:
    parts = list(found)
    studies = [one for one in parts if isinstance(one, Study) and one.volumes]
    if len(studies) != 1:
        reasons = {one.reason for one in parts if isinstance(one, Skipped)}
        raise InputError(
            f"{holding} {len(studies)} studies with images",
            where=where,
            hint="; ".join(sorted(reasons)[:3]) or "Give one study's.",
        )
    return of_study(studies[0])


def _whose(part: Path | bytes) -> tuple[str | None, str | None]:
    found = read_dicom(part, pixels=False)
    return text_of(found.dataset, "PatientID"), found.uid("StudyInstanceUID")


def of_study(study: Study) -> ImageQuery:
    """Return a whole study as a query: all its views and volumes, each weighing alike."""
    return ImageQuery(Views(study.volumes), study.patient, study.uid, study.files, study.report)
