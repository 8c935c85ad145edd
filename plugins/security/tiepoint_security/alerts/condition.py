"""Whether something is the case, from scores that flicker: debounce and hysteresis."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pydantic import Field, model_validator

from tiepoint.config.sections import Section


class ConditionSettings(Section):
    """When a score is taken for a fact, and when it no longer is."""

    raise_above: float = Field(
        default=0.5, title="Raise above", description="The score that counts for the rule."
    )
    clear_below: float = Field(
        default=0.4,
        title="Clear below",
        description="The score that counts against it, once it holds; not above `raise_above`.",
    )
    hits: int = Field(
        default=4, ge=1, le=100, title="Hits", description="So many frames must count for it..."
    )
    of: int = Field(
        default=6, ge=1, le=100, title="Of", description="... of the last so many analysed ones."
    )
    clear_after_s: float = Field(
        default=3.0,
        ge=0,
        le=3600,
        title="Clear after",
        description="Seconds without a score of `clear_below` or more after which it is over.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> ConditionSettings:
        if self.clear_below > self.raise_above:
            raise ValueError("clear_below must not be above raise_above")
        if self.hits > self.of:
            raise ValueError("hits must not be more than of")
        return self


@dataclass(frozen=True, slots=True)
class Change:
    """What a score changed.

    Attributes:
        raised: The condition holds from now on.
        cleared: It no longer holds.
    """

    raised: bool = False
    cleared: bool = False


_SAME = Change()


class Condition:
    """Follows one score through time.

    It begins to hold when `hits` of the last `of` scores reached `raise_above`, and ends when
    none reached `clear_below` for `clear_after_s`; a subject that is no longer seen ends so
    too, by `lapse`.

    Args:
        settings: The thresholds.
    """

    __slots__ = ("_kept_s", "_recent", "_seen_s", "holds", "settings")

    def __init__(self, settings: ConditionSettings) -> None:
        self.settings = settings
        self.holds = False
        self._recent: deque[bool] = deque(maxlen=settings.of)
        self._kept_s = self._seen_s = float("-inf")

    @property
    def seen_s(self) -> float:
        """When the last score came (monotonic)."""
        return self._seen_s

    @property
    def begins(self) -> bool:
        """Whether one of the last scores counted for it."""
        return any(self._recent)

    def observe(self, score: float, now_s: float) -> Change:
        """Take a score, at a monotonic time in seconds; NaN counts against the rule."""
        if now_s - self._seen_s > max(self.settings.clear_after_s, 1.0):
            self._recent.clear()  # what was before the gap says nothing about now
        self._seen_s = now_s
        self._recent.append(score >= self.settings.raise_above)
        if self.holds and score >= self.settings.clear_below:
            self._kept_s = now_s
            return _SAME
        if self.holds:
            return self.lapse(now_s)
        if sum(self._recent) < self.settings.hits:
            return _SAME
        self.holds = True
        self._kept_s = now_s
        return Change(raised=True)

    def lapse(self, now_s: float) -> Change:
        """Let time pass without a score."""
        if not self.holds or now_s - self._kept_s < self.settings.clear_after_s:
            return _SAME
        self.holds = False
        self._recent.clear()
        return Change(cleared=True)
