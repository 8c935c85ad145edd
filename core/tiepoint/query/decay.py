"""Decay: how much of a boost an item gets, by the distance of its value from an origin.

The functions are those of Elasticsearch's `function_score`: with d = max(0, |value - origin| -
offset), a strength of 1 at d = 0 falls to `at_scale` at d = scale.

- gauss: exp(-d^2 / (2 s^2)) with s^2 = -scale^2 / (2 ln at_scale)
- exp: exp(d ln(at_scale) / scale)
- linear: max(0, (w - d) / w) with w = scale / (1 - at_scale)
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import MetadataType
from tiepoint.config.ranking import DecaySection
from tiepoint.errors import QueryError

NOW = "now"
_KINDS: tuple[MetadataType, ...] = ("int", "float", "string")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d|w)")


def seconds_of(duration: float | str, where: str) -> float:
    """Return a distance as a number; a duration such as `7d` in seconds.

    Raises:
        QueryError: Not a number of at least 0, and no duration.

    >>> seconds_of("1.5h", "scale")
    5400.0
    """
    if isinstance(duration, str):
        match = _DURATION.fullmatch(duration.strip())
        if match is None:
            raise QueryError(
                f"{duration!r:.60} is no distance",
                where=where,
                hint=f"Give a number, or one with a unit: {', '.join(_SECONDS)}.",
            )
        return float(match[1]) * _SECONDS[match[2]]
    if not math.isfinite(duration) or duration < 0:
        raise QueryError(f"{duration} is no distance", where=where, hint="Give 0 or more.")
    return float(duration)


def moment_of(text: str) -> float:
    """Return an ISO 8601 date or time as seconds since 1970; without a zone it is UTC.

    Raises:
        ValueError: It is none.

    >>> moment_of("1970-01-02")
    86400.0
    """
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class Decay:
    """A decay over one metadata field; dates are seconds since 1970.

    Attributes:
        field: The field's name.
        shape: `gauss`, `exp` or `linear`.
        origin: The value of full strength; None for the time of the search.
        scale: The distance at which the strength is `at_scale`; > 0.
        offset: The distance up to which the strength is full.
        at_scale: In (0, 1).
    """

    field: str
    shape: str
    origin: float | None
    scale: float
    offset: float
    at_scale: float

    @classmethod
    def of(cls, section: DecaySection, metadata: Mapping[str, MetadataType], where: str) -> Decay:
        """Return a decay as it is written.

        Raises:
            QueryError: An unknown field, one that holds no numbers or dates, or an origin or
                a scale that is none.
        """
        kind = metadata.get(section.field)
        if kind not in _KINDS:
            known = [name for name, kind in metadata.items() if kind in _KINDS]
            raise QueryError(
                f"the field {section.field!r} holds no numbers or dates"
                if kind
                else f"there is no metadata field {section.field!r}",
                where=where,
                hint=f"Fields of numbers or strings are {', '.join(known) or 'not declared'}.",
            )
        scale = seconds_of(section.scale, f"{where}.scale")
        if scale == 0:
            raise QueryError("the scale is 0", where=f"{where}.scale", hint="Give more than 0.")
        return cls(
            section.field,
            section.shape,
            _origin(section.origin, f"{where}.origin"),
            scale,
            seconds_of(section.offset, f"{where}.offset"),
            section.at_scale,
        )

    def strengths(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Return (n,) strengths in [0, 1], NaN where there is no number or date."""
        origin = time.time() if self.origin is None else self.origin
        beyond = np.abs(np.array([_number(value) for value in values], np.float64) - origin)
        distances = np.maximum(beyond - self.offset, 0.0)
        fall = math.log(self.at_scale)
        if self.shape == "gauss":
            return np.asarray(np.exp(fall * np.square(distances / self.scale)))
        if self.shape == "exp":
            return np.asarray(np.exp(fall * distances / self.scale))
        return np.maximum(1.0 - (1.0 - self.at_scale) * distances / self.scale, 0.0)


def _origin(given: float | str, where: str) -> float | None:
    if given == NOW:
        return None
    try:
        return moment_of(given) if isinstance(given, str) else float(given)
    except ValueError:
        raise QueryError(
            f"{given!r:.60} is no origin",
            where=where,
            hint="Give a number, a date such as 2026-05-01, or now.",
        ) from None


def _number(value: Any) -> float:
    if isinstance(value, str):
        try:
            return moment_of(value)
        except ValueError:
            return math.nan
    return math.nan if value is None else float(value)
