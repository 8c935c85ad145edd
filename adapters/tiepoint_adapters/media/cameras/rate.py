"""How often something happens, over the last seconds."""

from __future__ import annotations

from collections import deque


class Rate:
    """Counts events a second over a sliding window.

    Args:
        window_s: Its length.
        most: The most events that are remembered.
    """

    def __init__(self, window_s: float = 10.0, most: int = 1024) -> None:
        self.window_s = window_s
        self._times_s: deque[float] = deque(maxlen=most)

    def count(self, now_s: float) -> None:
        """Note an event."""
        self._times_s.append(now_s)

    def per_second(self, now_s: float) -> float:
        """Return the events a second in the window."""
        while self._times_s and now_s - self._times_s[0] > self.window_s:
            self._times_s.popleft()
        if len(self._times_s) < 2:
            return 0.0
        return (len(self._times_s) - 1) / max(now_s - self._times_s[0], 1e-6)
