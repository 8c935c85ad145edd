"""The text of a structured report: its content tree, read from the top (PS3.3 C.17.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tiepoint_adapters.dicom.kinds import Kind
from tiepoint_adapters.dicom.reading import DicomObject
from tiepoint_adapters.dicom.values import text_of, value_of

MAX_DEPTH = 32
"""Deepest nesting that is followed."""

# What is said about the document, and not in it.
_ABOUT = ("HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS ACQ CONTEXT")


def report_text(part: DicomObject) -> str:
    """Return the text of a structured report, one statement a line, headings with a colon.

    Empty for an object that is no structured report, or one without text.

    Args:
        part: The object.
    """
    if part.kind is not Kind.REPORT:
        return ""
    return "\n".join(_lines(part.dataset, 0))


def _lines(node: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    for item in value_of(node, "ContentSequence") or []:
        if text_of(item, "RelationshipType") in _ABOUT:
            continue
        name, value = _concept(item), _value(item)
        if text_of(item, "ValueType") == "CONTAINER":
            if name:
                yield f"{name}:"
        elif value:
            plain = text_of(item, "ValueType") == "TEXT" and (
                name is None or name.lower() in _PLAIN
            )
            yield value if plain or not name else f"{name}: {value}"
        yield from _lines(item, depth + 1)


# Concept names of texts that only say that a text follows; the heading above says of what.
_PLAIN = frozenset(("finding", "impression", "conclusion", "recommendation", "description", "text"))


def _value(item: Any) -> str | None:
    kind = text_of(item, "ValueType")
    if kind == "TEXT":
        return text_of(item, "TextValue")
    if kind == "CODE":
        return _meaning(value_of(item, "ConceptCodeSequence"))
    if kind == "NUM":
        for measured in value_of(item, "MeasuredValueSequence") or []:
            number = text_of(measured, "NumericValue")
            unit = value_of(measured, "MeasurementUnitsCodeSequence")
            symbol = text_of(unit[0], "CodeValue") if unit else None
            return f"{number} {symbol}" if symbol and symbol != "1" else number
        return None
    keyword = {"DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}.get(kind or "")
    return text_of(item, keyword) if keyword else None


def _concept(item: Any) -> str | None:
    return _meaning(value_of(item, "ConceptNameCodeSequence"))


def _meaning(codes: Any) -> str | None:
    return text_of(codes[0], "CodeMeaning") if codes else None
