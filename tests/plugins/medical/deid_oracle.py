"""What a de-identified object may not hold: an oracle of its own, from PS3.15 Table E.1-1.

The table is another scrape (of 2024) than the engine's, and it is applied to the two objects
from outside: nothing of the engine is used.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag

_TABLE = Path(__file__).with_name("ps3_15_2024.csv")
PSEUDONYMS = ("PatientID", "PatientName", "AccessionNumber", "StudyID")


def rules() -> dict[int, str]:
    with _TABLE.open() as rows:
        return {
            int(row["tag"], 16): row["basic"]
            for row in csv.DictReader(rows)
            if "X" not in row["tag"]
        }


def walked(dataset: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every element, those of nested items too, with its place."""
    for element in dataset:
        place = f"{path}/{element.tag}"
        yield place, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value or []):
                yield from walked(item, f"{place}[{number}]")


def violations(before: Dataset, after: Dataset) -> list[str]:
    """Where the basic profile, without options, is not kept."""
    table, found = rules(), []
    old_values = {
        str(element.value)
        for _, element in walked(before)
        if element.VR != "SQ" and not element.is_empty and len(str(element.value)) > 3
    }
    for place, element in walked(after):
        rule = table.get(int(element.tag), "")
        value = str(element.value)
        if element.tag.is_private or not dictionary_has_tag(element.tag):
            found.append(f"{place}: private or unknown")
        elif element.tag.group in range(0x5000, 0x5100) or element.tag.group in range(
            0x6000, 0x6100
        ):
            found.append(f"{place}: overlay or curve")
        elif rule == "X":
            found.append(f"{place}: {element.keyword} is there, X")
        elif rule in ("Z", "D", "Z/D", "X/Z", "X/D", "X/Z/D"):
            changed = element.VR == "SQ" or element.is_empty or value not in old_values
            if not changed and value not in ("REMOVED", "0", "0.0"):
                found.append(f"{place}: {element.keyword} is as it was, {rule}")
        elif rule in ("U", "X/Z/U*") and element.VR == "UI" and value in old_values:
            found.append(f"{place}: {element.keyword} is as it was, U")
        elif element.VR == "PN" and not element.is_empty and element.keyword not in PSEUDONYMS:
            found.append(f"{place}: {element.keyword} holds a name")
    for keyword, expected in (("PatientIdentityRemoved", "YES"),):
        if after.get(keyword) != expected:
            found.append(f"{keyword} is not {expected}")
    codes = [item.CodeValue for item in after.get("DeidentificationMethodCodeSequence") or []]
    if "113100" not in codes:
        found.append("(0012,0064) does not code the basic profile")
    return found


def leaks(content: bytes, strings: list[str]) -> list[str]:
    """Which of some strings stand anywhere in a file's bytes, whatever the case."""
    lowered = content.lower()
    return [text for text in strings if text.lower().encode() in lowered]
