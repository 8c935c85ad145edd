"""The time of a stream that never goes back, and how far the stream lies behind."""

from __future__ import annotations

_LONGEST_GAP_S = 10.0
"""A longer jump of the camera's clock is the clock's, not a time without frames."""


class StreamTime:
    """Follows the times that a camera states through jumps, wraps and new connections.

    Attributes:
        jumps: How often the camera's clock jumped.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._stated_s: float | None = None
        self._arrived_s = 0.0
        self._time_s = 0.0
        self._ahead_s = float("-inf")
        self._lag_s = 0.0

    @property
    def lag_s(self) -> float:
        """How much later than at best the newest frame came, in seconds; grows with a backlog."""
        return self._lag_s

    def reconnect(self) -> None:
        """Say that a new connection begins, whose times have nothing to do with those before."""
        self._stated_s = None
        self._ahead_s = float("-inf")
        self._lag_s = 0.0

    def advance(self, stated_s: float | None, arrived_s: float) -> float:
        """Return the time of a frame, in seconds from the first one.

        Args:
            stated_s: What the stream says; None if nothing.
            arrived_s: When it came (monotonic).
        """
        since_s = arrived_s - self._arrived_s if self._arrived_s else 0.0
        if stated_s is None or self._stated_s is None:
            self._time_s += since_s
        else:
            step_s = stated_s - self._stated_s
            if not 0 <= step_s <= max(_LONGEST_GAP_S, 2 * since_s):
                self.jumps += 1
                step_s = since_s
                self._ahead_s = float("-inf")
            self._time_s += step_s
        self._stated_s, self._arrived_s = stated_s, arrived_s
        # Of all frames the one that came soonest for its time shows the delay without backlog.
        self._ahead_s = max(self._ahead_s, self._time_s - arrived_s)
        self._lag_s = self._ahead_s - (self._time_s - arrived_s)
        return self._time_s
