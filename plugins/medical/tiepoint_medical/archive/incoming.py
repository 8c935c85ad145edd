"""What comes in: DICOM objects or a table, as images with reports."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiepoint.errors import DecodeError, InputError, TiepointError
from tiepoint.types import Skipped

_IDENTIFYING = (
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "PatientBirthDate",
    "AccessionNumber",
    "StudyID",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "NameOfPhysiciansReadingStudy",
    "RequestingPhysician",
    "InstitutionName",
    "PatientAddress",
    "PatientTelephoneNumbers",
)


@dataclass(frozen=True)
class Incoming:
    """One image on its way in; it still holds identifiers, and is never stored or logged.

    Attributes:
        place: Where it comes from, for the person who gave it; it may name a patient.
        patient: The patient's identifier.
        study: The study's.
        image_id: The image's.
        image: The image, as encoders take it; None for a report alone.
        report: The text, empty if there is none.
        identifiers: What must not stay in the report.
    """

    place: str
    patient: str
    study: str
    image_id: str
    image: Any
    report: str = ""
    identifiers: tuple[str, ...] = field(default=(), repr=False)


def from_dicom(root: Path, reports: Mapping[str, str]) -> Iterator[Incoming | Skipped]:
    """Give the images of a folder or file, with the reports of their studies.

    A report is a text or structured report object of the study, or what `reports` has by
    AccessionNumber or StudyInstanceUID. Objects without patient, study or instance identifiers
    are skipped: they could not be kept apart.

    Args:
        root: A DICOM file, a folder, or a folder with a DICOMDIR.
        reports: Texts by AccessionNumber or StudyInstanceUID.
    """
    from tiepoint_adapters.dicom.finding import find_files, name_below
    from tiepoint_adapters.dicom.reading import read_dicom
    from tiepoint_adapters.dicom.rendering import render
    from tiepoint_adapters.dicom.reports import report_text
    from tiepoint_adapters.dicom.values import text_of

    headers: list[tuple[Path, str, str, str]] = []
    texts: dict[str, list[str]] = {}
    owners: dict[str, str] = {}
    for file in find_files(root):
        if isinstance(file, Skipped):
            yield file
            continue
        name = name_below(file, root)
        try:
            found = read_dicom(file, pixels=False)
            study = found.uid("StudyInstanceUID")
            instance = found.uid("SOPInstanceUID")
            patient = text_of(found.dataset, "PatientID")
            if not study or not instance or not patient:
                raise DecodeError("it lacks a patient, study or instance identifier")
            if owners.setdefault(study, patient) != patient:
                raise DecodeError("its study holds objects of another patient")
            if found.has_pixels:
                headers.append((file, patient, study, instance))
            elif text := report_text(found):
                texts.setdefault(study, []).append(text)
            else:
                yield Skipped(name, f"no image and no report ({found.class_name})")
        except TiepointError as error:
            yield Skipped(name, getattr(error, "what", str(error)))
    for file, patient, study, instance in headers:
        try:
            found = read_dicom(file)
            accession = text_of(found.dataset, "AccessionNumber") or ""
            told = reports.get(accession) or reports.get(study) or "\n".join(texts.get(study, ()))
            identifiers = [text_of(found.dataset, keyword) for keyword in _IDENTIFYING]
            yield Incoming(
                place=name_below(file, root),
                patient=patient,
                study=study,
                image_id=instance,
                image=render(found, found.frames // 2),
                report=told,
                identifiers=tuple(value for value in identifiers if value),
            )
        except TiepointError as error:
            yield Skipped(name_below(file, root), getattr(error, "what", str(error)))


def read_reports(path: Path) -> dict[str, str]:
    """Return texts by AccessionNumber or StudyInstanceUID, from a CSV file `key,text`.

    Raises:
        InputError: It cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if not {"key", "text"} <= set(table.fieldnames or ()):
                raise InputError(
                    "the reports need the columns `key` and `text`",
                    where=str(path),
                    hint="The key is the AccessionNumber or the StudyInstanceUID.",
                )
            return {row["key"].strip(): row["text"] or "" for row in table if row["key"]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"the reports cannot be read ({error})", where=str(path), hint="Check the file."
        ) from error


def from_table(cases: Iterable[Any]) -> Iterator[Incoming]:
    """Give the rows of a table of pictures and reports (`tiepoint_medical.evaluation.cases`)."""
    for case in cases:
        yield Incoming(
            place=case.image,
            patient=case.group,
            study=f"{case.group}/{case.text}",
            image_id=case.image,
            image=case.path.read_bytes(),
            report=case.text,
            identifiers=(case.group,) if len(case.group) > 3 else (),
        )
