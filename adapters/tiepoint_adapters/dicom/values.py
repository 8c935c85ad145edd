"""Values of elements, however damaged: as text, as numbers, or none."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue

DAMAGE = (
    InvalidDicomError,
    BytesLengthException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What pydicom was seen to raise, itself or a subclass, for what is no DICOM or damaged DICOM."""


def text_of(dataset: Any, keyword: str) -> str | None:
    """Return an element's first value as text without padding; None where it has none."""
    value = value_of(dataset, keyword)
    if value is None:
        return None
    if isinstance(value, MultiValue | list | tuple):
        value = value[0] if len(value) else ""
    return str(value).strip().strip("\0") or None


def number_of(dataset: Any, keyword: str) -> int | None:
    """Return an element's value as an integer; None where it has none."""
    text = text_of(dataset, keyword)
    try:
        return None if text is None else int(float(text))
    except (ValueError, OverflowError):
        return None


def value_of(dataset: Any, keyword: str) -> Any:
    """Return an element's value, or None where it is missing or cannot be understood."""
    try:
        return dataset.get(keyword)
    except DAMAGE:
        return None
