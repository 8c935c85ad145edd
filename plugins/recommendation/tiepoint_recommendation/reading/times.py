"""Times as files have them: seconds, parts of seconds, or ISO 8601."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from tiepoint_recommendation.reading.mapping import TimeUnit

_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
# A number of seconds stays below this until the year 5138; smaller units are beyond it since
# March 1973, so that the size of a number tells its unit.
_LARGEST_S = 1e11


def seconds(value: Any, unit: TimeUnit = "auto") -> tuple[float, str]:
    """Return a time in seconds since 1970 (UTC), and the unit that it was given in.

    Raises:
        ValueError: It is no time.

    >>> seconds("1700000000000")
    (1700000000.0, 'ms')
    >>> seconds("2023-11-14T22:13:20Z")
    (1700000000.0, 'iso')
    """
    if isinstance(value, datetime):
        return _moment(value), "iso"
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp(), "iso"
    number = None
    if unit != "iso":
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = None
    if number is not None:
        if isinstance(value, bool) or not math.isfinite(number):
            raise ValueError(f"{value!r:.60} is no time")
        own = _unit_of(number) if unit == "auto" else unit
        return number / _PER_SECOND[own], own
    if unit in ("auto", "iso"):
        try:
            return _moment(datetime.fromisoformat(str(value).strip())), "iso"
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{value!r:.60} is no time")


def _unit_of(number: float) -> str:
    for unit, per_second in _PER_SECOND.items():
        if abs(number) < _LARGEST_S * per_second:
            return unit
    raise ValueError(f"{number!r} is no time")


def _moment(value: datetime) -> float:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
