"""Rate limits: at most so many alerts in any stretch of time."""

from __future__ import annotations

from collections import deque

from pydantic import Field

from tiepoint.config.sections import Section


class RateSettings(Section):
    """At most `alerts` new alerts in any `per_s` seconds."""

    alerts: int = Field(ge=1, le=10_000, title="Alerts", description="How many at most...")
    per_s: float = Field(
        default=3600.0, gt=0, le=7 * 86_400, title="Per", description="... in so many seconds."
    )


class RateLimit:
    """A sliding window, exact and bounded by the limit itself.

    Args:
        settings: How many, in how long.
    """

    def __init__(self, settings: RateSettings) -> None:
        self.settings = settings
        self._sent_s: deque[float] = deque(maxlen=settings.alerts)

    def has_room(self, now_s: float) -> bool:
        """Return whether one more may be sent, at a monotonic time."""
        full = len(self._sent_s) == self.settings.alerts
        return not full or now_s - self._sent_s[0] >= self.settings.per_s

    def count(self, now_s: float) -> None:
        """Note that one was sent."""
        self._sent_s.append(now_s)
