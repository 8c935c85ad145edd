"""A recording watched like a camera, as fast as it goes: the clock is the recording's."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.journal import Addressed

Hear = Callable[[Mapping[str, Any]], None]
"""Called with the body of each message about an alert."""


class PlaybackClock:
    """Tells the time of the recording, so that seconds of rules are seconds of it.

    Attributes:
        begins_wall_s: When the recording was begun, in seconds since 1970.
        at_s: How far it has been watched, in seconds.
    """

    def __init__(self, begins_wall_s: float | None = None) -> None:
        self.begins_wall_s = time.time() if begins_wall_s is None else begins_wall_s
        self.at_s = 0.0

    def monotonic(self) -> float:
        return self.at_s

    def wall(self) -> float:
        return self.begins_wall_s + self.at_s


class Announcer:
    """A journal that keeps nothing and says everything.

    Args:
        hear: Told of each message.
    """

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self.alerts: dict[str, dict[str, Any]] = {}

    def record(self, alert: Alert, messages: Sequence[Addressed]) -> None:
        """Say what is new."""
        self.alerts[alert.id] = alert.view()
        for addressed in messages:
            self._hear(addressed.message.body)

    def acknowledged(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return nothing: nobody is there to acknowledge."""
        return {}

    def unfinished(self) -> list[Alert]:
        """Return nothing: there was no process before."""
        return []
