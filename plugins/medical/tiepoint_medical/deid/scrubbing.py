"""Free text without what identifies the patient: the object's own identifiers, and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydicom.multival import MultiValue

REMOVED = "REMOVED"
"""What stands for a value that was taken out of a header."""

MARK = "REDACTED"
"""What stands for words that were taken out of a text. No word that reports use: "removed" would
deny the finding beside it."""

MIN_LETTERS = 3
"""A shorter word of a name or number is not looked for in texts: it would be found everywhere."""

_IDENTIFYING = frozenset(
    [
        "PatientName",
        "PatientID",
        "OtherPatientNames",
        "OtherPatientIDs",
        "PatientBirthName",
        "PatientAddress",
        "PatientMotherBirthName",
        "PatientTelephoneNumbers",
        "PatientBirthDate",
        "AccessionNumber",
        "StudyID",
        "InstitutionName",
        "InstitutionAddress",
        "StationName",
        "ReferringPhysicianName",
        "ReferringPhysicianAddress",
        "ReferringPhysicianTelephoneNumbers",
        "PerformingPhysicianName",
        "OperatorsName",
        "NameOfPhysiciansReadingStudy",
        "RequestingPhysician",
        "PhysiciansOfRecord",
        "ResponsiblePerson",
        "VerifyingObserverName",
        "VerifyingOrganization",
        "PersonName",
        "AdmissionID",
        "IssuerOfPatientID",
        "InstitutionalDepartmentName",
        "MilitaryRank",
        "CountryOfResidence",
        "RegionOfResidence",
        "ContentCreatorName",
        "ScheduledPerformingPhysicianName",
        "HumanPerformerName",
        "ConsultingPhysicianName",
        "StudyDate",
        "SeriesDate",
        "AcquisitionDate",
        "ContentDate",
        "PatientInsurancePlanCodeSequence",
        "MedicalRecordLocator",
        "RequestingService",
        "CurrentPatientLocation",
    ]
)
_PLACES = re.compile(
    r"(?:\+?\d[\d ()/.-]{6,}\d)"  # telephone and other long numbers
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # e-mail
    r"|https?://\S+"
    r"|\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b"  # dates
    r"|\b(?:19|20)\d{6}\b"
    r"|\b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{2,4}\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W_]+", re.UNICODE)
_COMMON = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "from",
        "chest",
        "left",
        "right",
        "hospital",
        "clinic",
        "center",
        "centre",
        "street",
        "road",
        "patient",
        "doctor",
        "male",
        "female",
        "unknown",
        "anonymous",
        "university",
        "department",
        "medical",
        "radiology",
        "imaging",
    ]
)


def identifiers(dataset: Any) -> frozenset[str]:
    """Return what identifies the patient and people around, as lower-case words and values.

    Args:
        dataset: The object, as it was; nested sequences and private elements are searched, too.
    """
    return words_of(_values(dataset))


def words_of(values: Iterable[str]) -> frozenset[str]:
    """Return identifying values, whole and word by word, in lower case.

    Words that are common in reports, and shorter ones than three letters, are left out.

    >>> sorted(words_of(["Miller^Jo", "Chest Center"]))
    ['miller', 'miller jo', 'miller^jo']
    """
    found: set[str] = set()
    for value in values:
        for whole in (value, value.replace("^", " ")):
            cleaned = " ".join(whole.split()).lower()
            if len(cleaned) >= MIN_LETTERS and not _is_common(cleaned):
                found.add(cleaned)
        found |= {
            word.lower()
            for word in _WORDS.findall(value)
            if len(word) >= MIN_LETTERS and word.lower() not in _COMMON
        }
    return frozenset(found)


def _is_common(text: str) -> bool:
    return all(word in _COMMON for word in _WORDS.findall(text))


def _values(dataset: Any) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value or []:
                yield from _values(item)
        elif element.keyword in _IDENTIFYING or element.VR == "PN":
            many = (
                element.value if isinstance(element.value, MultiValue | list) else [element.value]
            )
            yield from (str(value) for value in many if value)


class Scrubber:
    """Takes identifiers out of texts.

    Args:
        identifiers: Lower-case words and values; see `identifiers`.
    """

    def __init__(self, identifiers: frozenset[str]) -> None:
        longest_first = sorted(identifiers, key=len, reverse=True)
        self._known = (
            re.compile(
                "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first),
                re.IGNORECASE,
            )
            if longest_first
            else None
        )

    def scrub(self, text: str, patterns: bool = True) -> str:
        """Return a text with `REDACTED` in the place of identifiers, dates and numbers to call.

        Args:
            text: One value.
            patterns: Whether what looks like a date, a telephone number or an address on the
                net is taken out, too.

        >>> Scrubber(frozenset({"miller"})).scrub("Miller, seen 2024-03-01: no effusion")
        'REDACTED, seen REDACTED: no effusion'
        """
        if self._known is not None:
            text = self._known.sub(MARK, text)
        return _PLACES.sub(MARK, text) if patterns else text
