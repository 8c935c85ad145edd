"""Reports without what names a patient."""

from __future__ import annotations

import re
from collections.abc import Iterable

MARK = "[redacted]"
"""What stands for an identifier. No word that reports use: "removed" would deny a finding."""

_PATTERNS = (
    r"https?://\S+|\S+@\S+\.\w+",
    r"\b\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?",
    r"\b\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})\b",
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:,?\s+\d{4})?\b",
    r"\b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{4}\b",
    r"\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?",
    r"(?:mrn|patient id|accession(?: number)?|病历号|住院号|姓名|医师|医生)\s*[:：#]?\s*\S+",
    r"\+?\d[\d\s()-]{7,}\d",
)
# "MR" is also a kind of image: titles count only as they are written before a name.
_TITLED = re.compile(r"\b(?:Dr|DR|Mr|Mrs|Ms|Prof)\b\.?\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?")
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def scrubbed(text: str, identifiers: Iterable[str] = ()) -> str:
    """Return a report with identifiers, dates, times, names after titles and numbers removed.

    What the study's header says is removed wherever it stands; beyond that only patterns help, so
    a name in free text that the header does not have can stay.

    Args:
        text: The report.
        identifiers: Values of the header, such as the patient's name; `^` parts them.
    """
    parts = {
        part.strip()
        for identifier in identifiers
        for part in (identifier, *re.split(r"[\^=,\s]+", identifier))
    }
    for part in sorted((p for p in parts if len(p) > 1), key=len, reverse=True):
        bounds = r"(?<!\w){}(?!\w)" if part.isascii() else "{}"
        text = re.sub(bounds.format(re.escape(part)), MARK, text, flags=re.IGNORECASE)
    return _ANY.sub(MARK, _TITLED.sub(MARK, text))
