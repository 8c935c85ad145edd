"""A folder of DICOM objects and reports as studies: views, volumes, and what was said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from tiepoint.errors import DecodeError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.finding import find_files, name_below
from tiepoint_adapters.dicom.kinds import Kind
from tiepoint_adapters.dicom.pixels import MAX_FRAMES
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
from tiepoint_adapters.dicom.reports import report_text
from tiepoint_adapters.dicom.series import Volume, volumes_of
from tiepoint_adapters.dicom.values import text_of
from tiepoint_medical.archive.reports import (
    REPORT_SUFFIXES,
    SentReport,
    holding,
    read_report,
)

_NEEDED = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_FRAMES_PER_BYTE = 8
"""A frame has at least one bit."""

_SHARED = "a series identifier is used by several studies, which are kept apart"
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


@dataclass(frozen=True, slots=True)
class Study:
    """One study of one patient, with what was reported on it.

    Attributes:
        uid: Study Instance UID.
        patient: Patient ID; the pseudonym where the objects were de-identified.
        accession: Accession number, or an empty string.
        body_part: Body Part Examined, or an empty string.
        volumes: Series of slices sorted by position, and single views; those of most slices
            come first.
        report: What structured reports of the study, the table, and the messages and text
            files of its accession number say, one after the other.
        identifiers: What must not stay in the report.
        warnings: What is odd about it, in words.
    """

    uid: str
    patient: str
    accession: str
    body_part: str
    volumes: tuple[Volume, ...]
    report: str
    identifiers: tuple[str, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of its pictures."""
        return tuple(dict.fromkeys(one.path for volume in self.volumes for one in volume.frames))


def studies_named(file: Path) -> frozenset[str]:
    """Return what a file belongs to: its Study Instance UID and its accession number.

    They are read from its header alone; there are none where it cannot be read.
    """
    try:
        if file.suffix in REPORT_SUFFIXES:
            names = {read_report(file).accession}
        else:
            part = _checked(read_dicom(file, pixels=False))
            accession = text_of(part.dataset, "AccessionNumber") or ""
            names = {part.uid("StudyInstanceUID") or "", accession}
    except DecodeError:
        names = set()
    return frozenset(names - {""})


def read_studies(root: Path, table: Mapping[str, str] | None = None) -> Iterator[Study | Skipped]:
    """Yield the studies of a folder, and what in it cannot be used; see `studies_of`.

    Args:
        root: A folder, such as a listener's inbox or what `medical deid` wrote; a DICOMDIR, or
            a DICOM file.
        table: Further reports, by accession number or Study Instance UID.

    Raises:
        InputError: There is nothing of that name.
    """
    return studies_of(find_files(root), root, table)


def studies_of(
    files: Iterable[Path | Skipped], root: Path, table: Mapping[str, str] | None = None
) -> Iterator[Study | Skipped]:
    """Yield the studies of some files, and which of them cannot be used.

    Pixels are not read here. A text file or an HL7 message belongs to the study that has
    its accession number; a text file's is its name without the suffix. Of several messages
    the corrected one holds, then the final one, then the newest.

    Args:
        files: All files of these studies, and the reports on them.
        root: The folder that they are told below.
        table: Further reports, by accession number or Study Instance UID.
    """
    sent: dict[str, list[SentReport]] = defaultdict(list)
    groups: dict[str, list[DicomObject]] = defaultdict(list)
    for file in files:
        if isinstance(file, Skipped):
            yield file
            continue
        try:
            if file.suffix in REPORT_SUFFIXES:
                report = read_report(file)
                sent[report.accession].append(report)
            else:
                part = _checked(read_dicom(file, pixels=False))
                groups[part.uid("StudyInstanceUID") or ""].append(part)
        except DecodeError as error:
            yield Skipped(name_below(file, root), error.what)
    known: set[str] = set()
    shared = _shared_series(groups)
    for uid, parts in groups.items():
        accession = _first(parts, "AccessionNumber")
        known.add(accession)
        texts = [text for key in (accession, uid) if (text := (table or {}).get(key, "").strip())]
        yield from _study(
            uid, parts, accession, texts, sent.get(accession, []) if accession else [], shared
        )
    for accession in sent.keys() - known:
        yield Skipped(accession, "no study has the accession number of this report")


def _checked(part: DicomObject) -> DicomObject:
    missing = [keyword for keyword in _NEEDED if part.uid(keyword) is None]
    if missing:
        raise DecodeError(f"the object has no {missing[0]}")
    if part.frames > MAX_FRAMES:
        raise DecodeError(f"the header claims {part.frames} frames, more than {MAX_FRAMES:,}")
    if part.where is not None and part.frames > _FRAMES_PER_BYTE * Path(part.where).stat().st_size:
        raise DecodeError(f"the header claims {part.frames} frames, more than the file can hold")
    if part.kind is not Kind.IMAGE and not report_text(part).strip():
        raise DecodeError(f"no picture and no report ({part.class_name})")
    return part


def _study(
    uid: str,
    parts: list[DicomObject],
    accession: str,
    texts: list[str],
    sent: list[SentReport],
    shared: Set[str],
) -> Iterator[Study | Skipped]:
    patients = {text_of(part.dataset, "PatientID") or "" for part in parts}
    if len(patients) > 1:
        yield Skipped(uid, f"the study is of {len(patients)} patients")
        return
    patient = patients.pop()
    own = [one for one in sent if one.patient in ("", patient)]
    if len(own) < len(sent):
        yield Skipped(accession, "a report of this accession number names another patient")
    said = [report_text(part).strip() for part in parts]
    said += [*texts, *(one.text for one in holding(own))]
    volumes = tuple(volumes_of(parts))
    if not volumes and not any(said):
        yield Skipped(uid, "the study has neither pictures nor reports")
        return
    header = [text_of(part.dataset, word) for part in parts for word in _IDENTIFYING]
    told = [value for one in own for value in one.identifiers]
    yield Study(
        uid,
        patient,
        accession,
        _first(parts, "BodyPartExamined"),
        volumes,
        "\n".join(dict.fromkeys(text for text in said if text)),
        tuple(dict.fromkeys(value for value in (*header, *told) if value)),
        (_SHARED,) if any(part.uid("SeriesInstanceUID") in shared for part in parts) else (),
    )


def _shared_series(groups: Mapping[str, list[DicomObject]]) -> Set[str]:
    """Return the Series Instance UIDs that several studies have, which the standard forbids."""
    of: dict[str, set[str]] = defaultdict(set)
    for uid, parts in groups.items():
        for part in parts:
            of[part.uid("SeriesInstanceUID") or ""].add(uid)
    return {series for series, studies in of.items() if len(studies) > 1}


def _first(parts: list[DicomObject], keyword: str) -> str:
    return next((value for part in parts if (value := text_of(part.dataset, keyword))), "")
