"""What a result says, whatever form it goes out in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset

from tiepoint.errors import InputError
from tiepoint_adapters.dicom.values import text_of

NOTICE = (
    "Unverified machine output of a similarity search. Not for stand-alone clinical "
    "decision-making; a qualified reader must check it."
)
"""What every result says of itself."""

OWN_SCHEME = "99TIEPOINT"
"""The coding scheme of concepts for which there is no registered code."""


@dataclass(frozen=True, slots=True)
class ReportedFinding:
    """A finding that the neighbours of a study have, or are said not to have.

    Attributes:
        name: In words, such as `pleural effusion`.
        present: Whether it is asserted or denied.
        radlex: Its RadLex class, such as `RID34539`, or None.
        probability: The calibrated probability in [0, 1], or None.
        sources: The cases that say so.
    """

    name: str
    present: bool
    radlex: str | None = None
    probability: float | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence of a drafted report.

    Attributes:
        text: The sentence.
        sources: The cases that it was taken from; never empty.
        section: `findings` or `impression`.
    """

    text: str
    sources: tuple[str, ...]
    section: str = "findings"


@dataclass(frozen=True, slots=True)
class Draft:
    """A result for one study.

    Attributes:
        findings: What is asserted and denied.
        sentences: The drafted report.
        model: What made it: the model card's name and the index's version.
        notice: What it says of itself.

    Raises:
        InputError: A sentence cites no source, or a probability is none.
    """

    findings: tuple[ReportedFinding, ...] = ()
    sentences: tuple[DraftSentence, ...] = ()
    model: str = "tiepoint"
    notice: str = field(default=NOTICE)

    def __post_init__(self) -> None:
        for sentence in self.sentences:
            if not sentence.sources:
                raise InputError("a sentence of the draft cites no source case")
        for finding in self.findings:
            if finding.probability is not None and not 0 <= finding.probability <= 1:
                raise InputError(f"the probability of {finding.name} is {finding.probability}")


def study_of(images: Sequence[Any]) -> Any:
    """Return the data set that stands for the study of some images, their first.

    Args:
        images: Data sets of one study.

    Raises:
        InputError: There are none, they lack identifiers, or they are of several patients
            or studies.
    """
    if not images:
        raise InputError("a result needs at least one image that it is about")
    for keyword, noun in (("PatientID", "patients"), ("StudyInstanceUID", "studies")):
        values = {text_of(image, keyword) for image in images}
        if len(values) > 1:
            raise InputError(f"the images are of {len(values)} {noun}", hint="Give one study's.")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
        if any(text_of(image, keyword) is None for image in images):
            raise InputError(f"an image has no {keyword}")
    return images[0]


_VALID = {
    "PatientBirthDate": r"\d{8}",
    "PatientSex": "[MFO]",
    "StudyDate": r"\d{8}",
    "StudyTime": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?",
}
_COPIED = (
    "PatientID",
    "PatientName",
    *_VALID,
    "AccessionNumber",
    "StudyID",
    "ReferringPhysicianName",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
)


def header_of(image: Any) -> Dataset:
    """Return what a result takes over from an image: whose it is, of which study, and its UIDs.

    What is missing there, or is no value of its kind, is empty here.
    """
    header = Dataset()
    for keyword in _COPIED:
        value = text_of(image, keyword) or ""
        setattr(header, keyword, value if re.fullmatch(_VALID.get(keyword, ".*"), value) else "")
    return header
