"""An alert: one thing that happened to one subject, from its first sight to its end."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_security.alerts.observation import Box, Observation
from tiepoint_security.alerts.severity import Severity, at_least

Held = Literal["quiet", "rate"]
Track = tuple[str, str]
"""A camera, and one of its tracks."""


@dataclass(slots=True, eq=False)
class Alert:
    """What is known of an alert; times end in `_s`, wall times in `_wall_s`.

    Attributes:
        id: Unique; sorts by time.
        first: The observation that raised it.
        last: The newest observation.
        there: The newest one in which it was the case.
        severity: The worst so far.
        peak: The highest score so far.
        started_wall_s: When it was raised.
        ended_wall_s: When it ended; None while it goes on.
        opened_s: When it was raised (monotonic).
        seen_s: When its subject was last seen (monotonic).
        there_s: When it was last seen to be the case (monotonic).
        tracks: Every track of its subject.
        live: The tracks for which the rule holds now.
        revision: Counts the messages about it.
        level: How many steps of the escalation were taken.
        held: Why it is not delivered.
        told: Who was told of it, in order.
        told_s: When it was first delivered (monotonic).
        told_last_s: When it was last delivered as new or escalated (monotonic).
        updated_s: When the last message about it was made (monotonic).
        acknowledged_by: Who took it.
        evidence: Paths below the folder of evidence, by kind.
        told_view: What receivers know of it: the view in the last message.
    """

    id: str
    first: Observation
    last: Observation
    there: Observation
    severity: Severity
    peak: float
    started_wall_s: float
    opened_s: float
    seen_s: float
    there_s: float
    ended_wall_s: float | None = None
    tracks: set[Track] = field(default_factory=set)
    live: set[Track] = field(default_factory=set)
    revision: int = 0
    level: int = 0
    held: Held | None = None
    told: list[str] = field(default_factory=list)
    told_s: float | None = None
    told_last_s: float | None = None
    updated_s: float = float("-inf")
    acknowledged_by: str | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    told_view: dict[str, Any] | None = None

    @classmethod
    def raised(cls, observation: Observation, clock: Clock) -> Alert:
        """Return a new alert about an observation."""
        now_s, wall_s = clock.monotonic(), clock.wall()
        return cls(
            id=f"{datetime.fromtimestamp(wall_s, UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(5)}",
            first=observation,
            last=observation,
            there=observation,
            severity=observation.severity,
            peak=observation.score,
            started_wall_s=wall_s,
            opened_s=now_s,
            seen_s=now_s,
            there_s=now_s,
        )

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.ended_wall_s is None

    @property
    def rule(self) -> str:
        """The rule that raised it."""
        return self.first.rule

    @property
    def camera(self) -> str:
        """The camera that saw it first."""
        return self.first.camera

    @property
    def cameras(self) -> list[str]:
        """All cameras that saw it, by name."""
        return sorted({camera for camera, _ in self.tracks})

    @property
    def appearance(self) -> NDArray[np.float32] | None:
        """What its subject looked like last, as far as known."""
        return self.first.appearance if self.there.appearance is None else self.there.appearance

    @property
    def box(self) -> Box | None:
        """Where its subject was last while it was the case."""
        return self.there.box

    def see(self, observation: Observation, now_s: float, *, holds: bool = True) -> bool:
        """Take a further observation of its subject; return whether it got worse.

        Args:
            observation: What is seen.
            now_s: The monotonic time.
            holds: Whether it is the case in it. Else the alert stays where it was: its track
                may have gone over to somebody else.
        """
        worse = not at_least(self.severity, observation.severity)
        if worse:
            self.severity = observation.severity
        self.last = observation
        if holds:
            self.there = observation
            self.there_s = now_s if observation.seen else self.there_s
        self.peak = max(self.peak, observation.score)
        self.seen_s = now_s
        return worse

    def copy(self) -> Alert:
        """Return the alert as it is now, whatever becomes of this one."""
        return replace(
            self,
            tracks=set(self.tracks),
            live=set(self.live),
            told=list(self.told),
            evidence=dict(self.evidence),
        )

    def view(self) -> dict[str, Any]:
        """Return the alert as plain JSON data: `before` and `after` of messages."""
        last, box = self.last, self.box
        return {
            "id": self.id,
            "rule": self.rule,
            "camera": self.camera,
            "cameras": self.cameras,
            "severity": self.severity,
            "state": "active" if self.active else "ended",
            "started_at": timestamp(self.started_wall_s),
            "ended_at": None if self.ended_wall_s is None else timestamp(self.ended_wall_s),
            "score": _number(last.score),
            "peak": _number(self.peak),
            "box": None if box is None else [_number(edge) for edge in box],
            "zones": list(self.there.zones),
            "tracks": [f"{camera}/{track}" for camera, track in sorted(self.tracks) if track],
            "contributions": {k: _number(v) for k, v in last.contributions.items()},
            "level": self.level,
            "held": self.held,
            "acknowledged_by": self.acknowledged_by,
            "evidence": dict(self.evidence),
        }


def _number(value: float) -> float | None:
    """Return a number as JSON can hold it, with four places."""
    return round(float(value), 4) if math.isfinite(value) else None
