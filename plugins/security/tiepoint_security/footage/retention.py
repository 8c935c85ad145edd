"""What footage is removed when: by age, longer where there was an alert, and by size."""

from __future__ import annotations

from collections.abc import Iterable

from tiepoint_security.footage.segment import Segment
from tiepoint_security.footage.settings import FootageSettings

_DAY_S = 86_400.0


def due(
    segments: Iterable[tuple[Segment, int]], settings: FootageSettings, now_s: float
) -> list[Segment]:
    """Return the segments to remove.

    Args:
        segments: All that there are, with their bytes.
        settings: How long and how much is kept.
        now_s: The time, in seconds since 1970.
    """
    gone, kept = [], []
    for segment, size in segments:
        days = settings.days if segment.severity is None else settings.alert_days
        if segment.end_s < now_s - days * _DAY_S:
            gone.append(segment)
        else:
            kept.append((segment, size))
    excess = sum(size for _, size in kept) - settings.most_gib * 2**30
    # What nobody was alerted about goes first, the oldest first.
    kept.sort(key=lambda one: (one[0].severity is not None, one[0].end_s))
    for segment, size in kept:
        if excess <= 0:
            break
        gone.append(segment)
        excess -= size
    return gone
