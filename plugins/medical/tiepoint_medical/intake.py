"""The reading side of `ingest`: a folder of objects and reports as studies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import DecodeError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.finding import find_files, name_below
from tiepoint_adapters.dicom.kinds import Kind
from tiepoint_adapters.dicom.network.hl7_reports import parse_report
from tiepoint_adapters.dicom.network.inbox import REPORT_SUFFIX
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
from tiepoint_adapters.dicom.reports import report_text
from tiepoint_adapters.dicom.series import Volume, volumes_of
from tiepoint_adapters.dicom.values import text_of

TEXT_SUFFIX = ".txt"
MAX_TEXT_BYTES = 1 << 20

_IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class Study:
    """One study of one patient, with what was reported on it.

    Attributes:
        uid: Study Instance UID.
        patient: Patient ID; the pseudonym where the objects were de-identified.
        accession: Accession number, or an empty string.
        date: Study date as `YYYYMMDD`, or an empty string.
        modality: Of its first picture.
        body_part: Body Part Examined of its first picture, or an empty string.
        deidentified: Whether all its objects say that the patient's identity was removed.
        images: The files of single pictures, such as the views of a chest.
        volumes: Series of several slices, sorted by position.
        reports: Texts: structured reports of the study, messages and text files whose
            accession number is its own.
    """

    uid: str
    patient: str
    accession: str
    date: str
    modality: str
    body_part: str
    deidentified: bool
    images: tuple[Path, ...]
    volumes: tuple[Volume, ...]
    reports: tuple[str, ...]


def read_studies(root: Path) -> Iterator[Study | Skipped]:
    """Yield the studies of a folder, and what in it cannot be used.

    Pictures are not decoded here. A text file or an HL7 message belongs to the study that has
    its accession number; a text file's is its name without the suffix.

    Args:
        root: A folder, such as a listener's inbox or what `medical deid` wrote; or a DICOMDIR.

    Raises:
        InputError: There is nothing of that name.
    """
    reports: dict[str, list[str]] = defaultdict(list)
    groups: dict[str, list[DicomObject]] = defaultdict(list)
    for file in find_files(root):
        if isinstance(file, Skipped):
            yield file
            continue
        try:
            if file.suffix in (REPORT_SUFFIX, TEXT_SUFFIX):
                accession, text = _report(file)
                reports[accession].append(text)
            else:
                part = _checked(read_dicom(file, pixels=False))
                groups[part.uid("StudyInstanceUID") or ""].append(part)
        except DecodeError as error:
            yield Skipped(name_below(file, root), error.what)
    for uid, parts in groups.items():
        yield _study(uid, parts, reports)
    accessions = {
        text_of(part.dataset, "AccessionNumber") for many in groups.values() for part in many
    }
    for accession in reports.keys() - accessions:
        yield Skipped(accession, "no study has the accession number of this report")


def _report(file: Path) -> tuple[str, str]:
    """Return the accession number and the text of a report's file.

    Raises:
        DecodeError: It cannot be read, or is empty.
    """
    try:
        if file.stat().st_size > MAX_TEXT_BYTES:
            raise DecodeError(f"the report is larger than {MAX_TEXT_BYTES >> 20} MiB")
        content = file.read_bytes()
        if file.suffix == REPORT_SUFFIX:
            report = parse_report(content)
            return report.accession, report.text
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise DecodeError("the report is not UTF-8") from error
    except OSError as error:
        raise DecodeError(f"the report cannot be read: {error.strerror}") from error
    if not text:
        raise DecodeError("the report is empty")
    return file.stem, text


def _checked(part: DicomObject) -> DicomObject:
    missing = [keyword for keyword in _IDENTIFIERS if part.uid(keyword) is None]
    if missing:
        raise DecodeError(f"the object has no {missing[0]}")
    return part


def _study(uid: str, parts: list[DicomObject], reports: dict[str, list[str]]) -> Study | Skipped:
    patients = {text_of(part.dataset, "PatientID") or "" for part in parts}
    if len(patients) > 1:
        return Skipped(uid, f"the study is of {len(patients)} patients")
    pictures = [part for part in parts if part.kind is Kind.IMAGE and part.where is not None]
    volumes = [volume for volume in volumes_of(pictures) if len(volume.slices) > 1]
    in_volumes = {one.path for volume in volumes for one in volume.slices}
    images = [path for part in pictures if (path := Path(part.where or "")) not in in_volumes]
    first = (pictures or parts)[0].dataset
    numbers = [text_of(part.dataset, "AccessionNumber") for part in (*pictures, *parts)]
    accession = next((number for number in numbers if number), "")
    texts = [text for part in parts if (text := report_text(part)).strip()]
    if not images and not volumes and not texts and not reports.get(accession):
        return Skipped(uid, "the study has neither pictures nor reports")
    return Study(
        uid,
        patients.pop(),
        accession,
        text_of(first, "StudyDate") or "",
        text_of(first, "Modality") or "",
        text_of(first, "BodyPartExamined") or "",
        all(text_of(part.dataset, "PatientIdentityRemoved") == "YES" for part in parts),
        tuple(images),
        tuple(volumes),
        tuple(texts + (reports.get(accession, []) if accession else [])),
    )
