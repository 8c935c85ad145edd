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
"""A shorter word of a number is not looked for in texts: it would be found everywhere. Of Chinese,
where a name has two letters, it is one more than a word; a word of a name may have two letters,
and is found where it is written with a capital."""

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
_SHORT = 2
_MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TELLING = re.compile(
    "|".join(
        (
            r"\+?\d[\d ()/.-]{6,}\d",  # telephone and other long numbers
            r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",  # e-mail
            r"https?://\S+",
            r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b",  # dates
            r"\b(?:19|20)\d{6}\b",
            r"\b\d{4}年\s?\d{1,2}月(?:\s?\d{1,2}日)?",
            rf"\b\d{{1,2}}\s+{_MONTHS}\.?,?\s+\d{{2,4}}\b",
            rf"\b{_MONTHS}\.?\s+\d{{1,2}}(?:,?\s+\d{{4}})?\b",
            r"\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?",  # times
            r"\b(?:mrn|patient id|accession(?: number)?)\s*[:#]?\s*[\w-]*\d[\w-]*",
            r"(?:病历号|住院号|姓名|医师|医生)\s*[:：#]\s*[^\s，。；、,;.]+",
            # "MR" is also a kind of image: titles count only as they are written before a name.
            r"(?-i:\b(?:Dr|DR|Mr|Mrs|Ms|Prof)\b\.?\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?)",
        )
    ),
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W_]+", re.UNICODE)
_LANGUAGE = frozenset(
    _WORDS.findall(
        "ad am an as at be by da de di do du el en et go he hi if in is it la le me my no of oh"
        " ok on or se so to un up us we"
    )
)
_CLINICAL = frozenset(
    _WORDS.findall(
        "ap bp br ca cc cm cr ct cv cx dr dx ed er et ge gi gu hr ii iv kg kv ld ll lv ma mg mi ml"
        " mm mr mv nd ng nm nr oa og pa pe pf pt ra rh ri rl rt ru rv rx st tb tv us vi vs xr"
    )
)
"""Short words that a name may have, too: those are taken for the name only by its capital."""

_CJK = re.compile("[\u3400-\u9fff]")
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
        "heart",
        "lung",
        "health",
        "care",
        "institute",
    ]
)


def identifiers(dataset: Any) -> frozenset[str]:
    """Return what identifies the patient and people around, as lower-case words and values.

    Args:
        dataset: The object, as it was; nested sequences and private elements are searched, too.
    """
    return words_of(_values(dataset))


def words_of(values: Iterable[str]) -> frozenset[str]:
    """Return identifying values, whole, in both orders of a name, and word by word, in lower case.

    Words that are common in reports, and those that are too short, are left out.

    >>> sorted(words_of(["Miller^Jo", "Chest Center"]))
    ['jo', 'jo miller', 'miller', 'miller jo', 'miller^jo']
    >>> sorted(words_of(["王^伟"]))
    ['伟 王', '王 伟', '王^伟', '王伟']
    """
    found, short = set[str](), set[str]()
    for value in values:
        words = _WORDS.findall(value.lower())
        found |= {value.lower(), *words}
        if not any(letter.isdigit() for letter in value):
            short |= {word for word in words if len(word) == _SHORT}
        for name in value.split("="):  # the ways of writing it (PS3.5 6.2)
            parts = [part for part in name.split("^") if part.strip()]
            between = ("", " ") if _CJK.search(name) else (" ",)
            found.add(name.lower())
            found |= {space.join(parts).lower() for space in between}
            found.add(" ".join(reversed(parts)).lower())
    told = frozenset(one for one in (" ".join(one.split()) for one in found) if _tells(one))
    return told | short


def _tells(text: str) -> bool:
    fewest = MIN_LETTERS - 1 if _CJK.search(text) else MIN_LETTERS
    return len(text) >= fewest and not all(word in _COMMON for word in _WORDS.findall(text))


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
            re.compile("|".join(map(_bounded, longest_first)), re.IGNORECASE)
            if longest_first
            else None
        )

    def scrub(self, text: str, patterns: bool = True) -> str:
        """Return a text with `REDACTED` in the place of identifiers, and of what looks like one.

        Args:
            text: One value.
            patterns: Whether what looks like a date, a time, a telephone number, an address on
                the net, or a name after a title is taken out, too.

        >>> Scrubber(frozenset({"miller"})).scrub("Miller, seen 2024-03-01: no effusion")
        'REDACTED, seen REDACTED: no effusion'
        """
        if self._known is not None:
            text = self._known.sub(MARK, text)
        return _TELLING.sub(MARK, text) if patterns else text


def _bounded(word: str) -> str:
    """Return what finds a word; Chinese has no marks between words."""
    escaped = re.escape(word)
    if _CJK.search(word):
        return escaped
    if len(word) > _SHORT:
        return rf"(?<!\w){escaped}(?!\w)"
    capital = word.capitalize()
    if word in _LANGUAGE:  # at the beginning of a sentence it is no name
        return rf"(?-i:(?<=[\w,;:(] ){capital}(?!\w))"
    if word in _CLINICAL:
        return rf"(?-i:(?<!\w){capital}(?!\w))"
    return rf"(?-i:(?<!\w)(?:{capital}|{word.upper()})(?!\w))"
