"""Cells of a table as metadata values of their declared types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tiepoint.config.collections import MetadataType
from tiepoint.types import MetadataValue

LIST_SEPARATOR = ";"
"""What separates the values of a list within one cell of bare text."""


def _boolean(text: str) -> bool:
    truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return truth[text.lower()]


_READ: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "int": int,
    "float": float,
    "bool": _boolean,
}


def read_value(cell: Any, declared: MetadataType) -> MetadataValue | None:
    """Return a cell's value, or None where it is empty.

    Bare text is read as the declared type (`true`, `yes` and `1` are true; the values of a
    list are separated by semicolons); a value that has a type of its own is left as it is,
    for the collection to check.

    Raises:
        ValueError: The text is not of that type.

    >>> read_value("red; green", "strings")
    ['red', 'green']
    >>> read_value("1.50", "float")
    1.5
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if not isinstance(cell, str) or declared == "string":
        value: MetadataValue = cell
        return value
    is_list = declared.endswith("s")
    read = _READ[declared.removesuffix("s")]
    try:
        if is_list:
            return [read(part.strip()) for part in cell.split(LIST_SEPARATOR) if part.strip()]
        single: MetadataValue = read(cell.strip())
    except (ValueError, KeyError) as error:
        raise ValueError(f"{cell!r:.60} is not {declared}") from error
    return single
