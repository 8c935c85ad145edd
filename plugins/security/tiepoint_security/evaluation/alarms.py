"""Alarms against events: what was found, how fast, and how often for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUIET_S = 1.0
"""An alarm ends when its score has been below the threshold for so long."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames from `begin` up to, and without, `end`."""

    begin: int
    end: int

    def overlaps(self, other: Stretch) -> bool:
        """Tell whether they share a frame."""
        return self.begin < other.end and other.begin < self.end


def stretches(marked: ArrayLike, join: int = 0) -> list[Stretch]:
    """Return the stretches of marked frames; gaps of at most `join` frames are bridged.

    >>> stretches([0, 1, 1, 0, 1])
    [Stretch(begin=1, end=3), Stretch(begin=4, end=5)]
    """
    found: list[Stretch] = []
    for frame in np.flatnonzero(np.asarray(marked, bool)).tolist():
        if found and frame - found[-1].end <= join:
            found[-1] = Stretch(found[-1].begin, frame + 1)
        else:
            found.append(Stretch(frame, frame + 1))
    return found


def alarms(sustained: ArrayLike, threshold: float, fps: float) -> list[Stretch]:
    """Return the alarms that a stream raises.

    Args:
        sustained: (n,) sustained scores.
        threshold: From which a frame is alarming.
        fps: Frames per second.
    """
    return stretches(np.asarray(sustained) >= threshold, join=round(QUIET_S * fps) - 1)


@dataclass(frozen=True, slots=True)
class ClipAlarms:
    """The alarms of a clip, against its labels.

    Attributes:
        delays: Of each event, frames from its first one to the first alarming one in it; None
            where it was missed.
        false: Number of alarms that share no frame with an event.
        normal_frames: Number of frames outside events.
    """

    delays: tuple[int | None, ...]
    false: int
    normal_frames: int


def judge(
    sustained: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float, fps: float
) -> ClipAlarms:
    """Hold the alarms of a clip against its labels.

    Args:
        sustained: (n,) sustained scores.
        labels: (n,) whether each frame is abnormal; neighbouring ones are one event.
        threshold: From which a frame is alarming.
        fps: Frames per second.
    """
    events = stretches(labels)
    hits = np.flatnonzero(sustained >= threshold)
    delays = []
    for event in events:
        inside = hits[(hits >= event.begin) & (hits < event.end)]
        delays.append(int(inside[0]) - event.begin if len(inside) else None)
    raised = alarms(sustained, threshold, fps)
    false = sum(not any(alarm.overlaps(event) for event in events) for alarm in raised)
    return ClipAlarms(tuple(delays), false, int((~labels).sum()))


def upper_rate(count: int, hours: float) -> float:
    """Return the upper 95 % bound of a Poisson rate, per hour (Garwood, 1936; one-sided).

    >>> round(upper_rate(0, 1.0), 2)
    3.0
    """
    from scipy.stats import chi2

    return float(chi2.ppf(0.95, 2 * (count + 1)) / 2 / hours) if hours else float("inf")


def false_alarms(count: int, frames: int, fps: float) -> dict[str, Any]:
    """Return the figures of false alarms in so many frames of normal footage."""
    hours = frames / fps / 3600
    return {
        "count": count,
        "hours": hours,
        "per_hour": count / hours if hours else None,
        "per_hour_upper_95": upper_rate(count, hours) if hours else None,
    }


def summary(clips: Sequence[ClipAlarms], fps: float) -> dict[str, Any]:
    """Return event recall, time to alert and false alarms over clips."""
    delays = [delay for clip in clips for delay in clip.delays]
    found = [delay / fps for delay in delays if delay is not None]
    return {
        "events": len(delays),
        "events_found": len(found),
        "event_recall": len(found) / len(delays) if delays else None,
        "median_time_to_alert_s": median(found) if found else None,
        "false_alarms": false_alarms(
            sum(clip.false for clip in clips), sum(clip.normal_frames for clip in clips), fps
        ),
    }
