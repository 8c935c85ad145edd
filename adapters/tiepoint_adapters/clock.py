"""Two clocks: one that never jumps, for how long, and one that may, for when."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time; tests bring one that they move themselves."""

    def monotonic(self) -> float:
        """Return seconds from an unknown beginning; never goes back, never jumps."""

    def wall(self) -> float:
        """Return seconds since 1970 (UTC), as the machine believes; may jump either way."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


class ClockWatch:
    """Notices when the wall clock was set, by comparing it with the monotonic one.

    Args:
        clock: The clocks.
        least_s: Smaller steps are the ordinary corrections of a time service.
    """

    def __init__(self, clock: Clock, least_s: float = 1.0) -> None:
        self.clock = clock
        self.least_s = least_s
        self.steps = 0
        self._offset_s = clock.wall() - clock.monotonic()

    def step(self) -> float:
        """Return by how many seconds the wall clock was set since the last call; 0 if it was not.

        Slow drift is followed without being called a step.
        """
        offset_s = self.clock.wall() - self.clock.monotonic()
        moved_s, self._offset_s = offset_s - self._offset_s, offset_s
        if abs(moved_s) < self.least_s:
            return 0.0
        self.steps += 1
        return moved_s


def timestamp(wall_s: float) -> str:
    """Return a time as ISO 8601 in UTC, with milliseconds.

    >>> timestamp(0.5)
    '1970-01-01T00:00:00.500Z'
    """
    text = datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
