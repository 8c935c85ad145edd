"""Reports on their way in: HL7 messages, text files, and tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tiepoint.errors import DecodeError, InputError
from tiepoint_adapters.dicom.network.hl7_reports import parse_report
from tiepoint_adapters.dicom.network.inbox import REPORT_SUFFIX
from tiepoint_medical.deid.scrubbing import words_of

TEXT_SUFFIX = ".txt"
REPORT_SUFFIXES = frozenset((REPORT_SUFFIX, TEXT_SUFFIX))
MAX_TEXT_BYTES = 1 << 20

_STATUSES = "PFC"
"""Of a report, from the least to the most that is to be believed: preliminary, final, corrected."""


@dataclass(frozen=True, slots=True)
class SentReport:
    """A report that came by itself.

    Attributes:
        accession: The accession number of the study that it is about.
        text: What it says.
        patient: Whose it is; empty where the report does not say.
        rank: Of several reports of one number, the one of the highest rank holds.
        identifiers: What must not stay in it.
    """

    accession: str
    text: str
    patient: str = ""
    rank: tuple[int, str] = (0, "")
    identifiers: tuple[str, ...] = field(default=(), repr=False)


def read_report(file: Path) -> SentReport:
    """Return the report of an HL7 message's file, or of a text named by accession number.

    Raises:
        DecodeError: It cannot be read, or is empty.
    """
    try:
        if file.stat().st_size > MAX_TEXT_BYTES:
            raise DecodeError(f"the report is larger than {MAX_TEXT_BYTES >> 20} MiB")
        content = file.read_bytes()
        if file.suffix == REPORT_SUFFIX:
            sent = parse_report(content)
            rank = (_STATUSES.find(sent.status), sent.issued)
            known = tuple(words_of(sent.identifiers))
            return SentReport(sent.accession, sent.text, sent.patient_id, rank, known)
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise DecodeError("the report is not UTF-8") from error
    except OSError as error:
        raise DecodeError(f"the report cannot be read: {error.strerror}") from error
    if not text:
        raise DecodeError("the report is empty")
    return SentReport(file.stem, text)


def holding(reports: Iterable[SentReport]) -> list[SentReport]:
    """Return the reports that hold: of messages the newest of the highest status, and texts."""
    messages = [one for one in reports if one.rank[1]]
    texts = [one for one in reports if not one.rank[1]]
    return [*([max(messages, key=lambda one: one.rank)] if messages else []), *texts]


def read_report_table(path: Path) -> dict[str, str]:
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
