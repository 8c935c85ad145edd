"""A folder of objects without what identifies their patients, and a report on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tiepoint.errors import DecodeError, InputError
from tiepoint.saving import replaced_together
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.finding import require_files
from tiepoint_adapters.dicom.network.inbox import REPORT_SUFFIX
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.values import DAMAGE
from tiepoint_medical.deid.engine import Deidentified, deidentify
from tiepoint_medical.deid.identities import Identities
from tiepoint_medical.deid.messages import clean_message_file
from tiepoint_medical.deid.options import DeidOptions
from tiepoint_medical.deid.pixels import PixelReport, clean_pixels
from tiepoint_medical.deid.vault import Vault

RISK = (
    "Text in pixels is found by a detector that can miss faint, tiny, rotated or handwritten "
    "text, and a face can be rebuilt from a scan of a head. Names in texts that stay are known "
    "from the object's own header only. Look at what is listed as residual, and at a sample, "
    "before you pass anything on."
)


@dataclass(slots=True)
class DeidReport:
    """What became of a folder; it holds nothing that identifies a patient.

    Attributes:
        files: How many files there were.
        written: Objects that were written now.
        reports: Reports of HL7 messages that were written as texts.
        present: Objects that an earlier run had written.
        left_out: The others, by their number in the order of their names, with reasons.
        patients: How many pseudonyms.
        studies: How many studies.
        changed: What was done to how many elements.
        pictures: How many objects with pictures were looked at.
        with_text: In how many of them text was found and blacked out.
        residual: The new names of those in which the last look still found something.
        not_looked_at: Frames that were not searched, in all.
        risk: What may be left.
    """

    files: int = 0
    written: int = 0
    reports: int = 0
    present: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)
    patients: int = 0
    studies: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    pictures: int = 0
    with_text: int = 0
    residual: list[str] = field(default_factory=list)
    not_looked_at: int = 0
    risk: str = RISK

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)


def deidentify_folder(
    source: Path,
    out: Path,
    identities: Identities,
    options: DeidOptions,
    vault: Vault | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> DeidReport:
    """De-identify the objects of a folder, or one file, into `out/patient/study/series/`.

    An object that is there already is not made again, so a run that was cut short goes on.
    One that cannot be de-identified wholly is left out.

    Args:
        source: A folder, a DICOMDIR or a file.
        out: The folder that takes the new files; not inside the source.
        identities: Gives the new identities.
        options: What may stay.
        vault: Keeps the way back.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: There is no file of that name or in it, or the target lies in the source.
    """
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise InputError("the target lies in the source", where=str(out), hint="Name another.")
    files = require_files(source)
    report = DeidReport(files=len(files))
    changed: Counter[str] = Counter()
    patients: set[str] = set()
    studies: set[str] = set()
    for number, file in enumerate(files, 1):
        try:
            if isinstance(file, Skipped):
                raise InputError(file.reason)
            if file.suffix == REPORT_SUFFIX:
                clean_message_file(file, identities).write(out)
                report.reports += 1
                continue
            made = _one(file, out, identities, options, vault, report)
        except InputError as error:
            report.left_out.append({"number": number, "reason": error.what})
        else:
            changed.update(made.changed)
            patients.add(made.patient)
            studies.add(str(made.dataset.get("StudyInstanceUID", "")))
        finally:
            if progress is not None:
                progress(number, len(files))
    report.changed, report.patients, report.studies = dict(changed), len(patients), len(studies)
    return report


def _one(
    file: Path,
    out: Path,
    identities: Identities,
    options: DeidOptions,
    vault: Vault | None,
    report: DeidReport,
) -> Deidentified:
    part = read_dicom(file)
    if part.large:
        raise InputError("the file is too large to be held in memory")
    made = deidentify(part, identities, options)
    name = new_name(made)
    target = out / name
    if vault is not None:
        vault.remember(made)
    if target.exists():
        report.present += 1
        return made
    if options.pixels:
        try:
            pixels = clean_pixels(part, made.dataset)
        except DecodeError as error:
            raise InputError(f"what its pixels show is not known: {error.what}") from error
        _count(report, pixels, name)
    _write(made, target)
    report.written += 1
    return made


def new_name(made: Deidentified) -> str:
    """Return the path of a de-identified object, of its new identities alone.

    Raises:
        InputError: The object lacks the identifiers of its study, series or itself.
    """
    uids = [
        str(made.dataset.get(keyword) or "")
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    ]
    if not all(uids):
        raise InputError("the object lacks the UID of its study, its series or itself")
    return "/".join((made.patient, *uids)) + ".dcm"


def _count(report: DeidReport, pixels: PixelReport, name: str) -> None:
    report.pictures += bool(pixels.looked_at)
    report.with_text += bool(pixels.boxes)
    report.not_looked_at += pixels.frames - pixels.looked_at
    if pixels.residual:
        report.residual.append(name)


def _write(made: Deidentified, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replaced_together(target) as [partial]:
            made.dataset.save_as(partial, enforce_file_format=True)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk is full, say
        # pydicom's reasons quote values; what cannot be written is left out.
        raise InputError(f"the object cannot be written ({type(error).__name__})") from error
