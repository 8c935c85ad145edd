"""The profile's table: what becomes of each attribute (PS3.15 Table E.1-1, edition 2026c)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Action(StrEnum):
    """What becomes of an element."""

    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    UID = "uid"
    CLEAN = "clean"
    KEEP = "keep"


# Where the table leaves a choice by the type of the attribute in its object, the value that is
# valid for the strictest type is taken: a dummy is, wherever an empty value may not be.
_ACTIONS: Mapping[str, Action] = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.UID,
    "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "X/Z/U*": Action.CLEAN,
    "K": Action.KEEP,
    "C": Action.CLEAN,
}


@cache
def _rows() -> tuple[dict[str, str], ...]:
    text = (files("tiepoint_medical.deid") / "profile.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def actions(columns: Sequence[str] = ()) -> Mapping[int, Action]:
    """Return what becomes of each attribute in the table, by its tag as a number.

    Args:
        columns: Options whose columns go before the basic profile's, as a tuple.

    >>> actions()[0x00100010].value, actions(("patient",))[0x00100040].value
    ('empty', 'keep')
    """
    table: dict[int, Action] = {}
    for row in _rows():
        code = next((row[name] for name in columns if row[name]), row["basic"])
        table[int(row["tag"], 16)] = _ACTIONS[code]
    return table
