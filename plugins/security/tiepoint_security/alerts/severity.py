"""How bad something is, in words that can be compared."""

from __future__ import annotations

from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From harmless to worst."""


def at_least(severity: Severity, least: Severity) -> bool:
    """Return whether one severity is as bad as another, or worse.

    >>> at_least("critical", "warning")
    True
    """
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


def worst(*severities: Severity | None) -> Severity | None:
    """Return the worst of some severities; None if there is none.

    >>> worst("info", None, "warning")
    'warning'
    """
    given = [severity for severity in severities if severity is not None]
    return max(given, key=SEVERITIES.index, default=None)
