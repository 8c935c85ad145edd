"""A report that came by HL7, without what identifies the patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import DecodeError
from tiepoint.saving import replace_together
from tiepoint_adapters.dicom.network.hl7_reports import parse_report
from tiepoint_medical.deid.identities import Identities
from tiepoint_medical.deid.scrubbing import Scrubber, words_of

REPORTS = "reports"
"""The folder of a de-identified collection that holds its reports, one text file each."""


@dataclass(frozen=True, slots=True)
class CleanReport:
    """A report under its new identities.

    Attributes:
        accession: What stands for the accession number, as in the pictures' headers.
        text: The report, without the identifiers that its message holds.
    """

    accession: str
    text: str

    def write(self, out: Path) -> Path:
        """Write it to where `tiepoint medical ingest` looks for it; returns the file."""
        target = out / REPORTS / f"{self.accession}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_together({target: self.text.encode()})
        return target


def clean_message(content: bytes, identities: Identities) -> CleanReport:
    """Return the report of an ORU^R01 message, cleaned.

    The names and numbers that the message's other segments hold are taken out of the text, and
    so is what looks like a date or a telephone number. Names that stand in the text alone stay.

    Args:
        content: The message; see `parse_report`.
        identities: Gives the new identities.

    Raises:
        DecodeError: It is no message with a report.
    """
    report = parse_report(content)
    known = words_of(report.identifiers)
    return CleanReport(
        identities.text("AccessionNumber", report.accession), Scrubber(known).scrub(report.text)
    )


def clean_message_file(path: Path, identities: Identities) -> CleanReport:
    """Return the report of a message's file, cleaned; see `clean_message`."""
    try:
        return clean_message(path.read_bytes(), identities)
    except OSError as error:
        raise DecodeError(f"the message cannot be read: {error.strerror}") from error
