"""The order in which people number files: 9 before 10."""

from __future__ import annotations

import re

NameKey = tuple[tuple[bool, int, str], ...]


def natural_order(name: str) -> NameKey:
    """Return a key by which numbers in names are ordered as numbers.

    >>> sorted(["f10.png", "f9.png"], key=natural_order)
    ['f9.png', 'f10.png']
    """
    runs = re.split(r"(\d+)", name)
    return tuple((run.isdecimal(), int(run) if run.isdecimal() else 0, run) for run in runs)
