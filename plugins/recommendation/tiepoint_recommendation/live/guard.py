"""What events are taken in: not from the future, and no flood from one robot."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tiepoint_recommendation.reading.records import FUTURE_S
from tiepoint_recommendation.types import Event

_HOUR_S = 3600.0
_MOST_HOURS = 100_000


@dataclass(slots=True)
class Guard:
    """Counts each user's events by hour, and refuses what no person does.

    Events are counted by their own time, so that what a stream delivers late is not a flood.

    Attributes:
        per_hour: How many events a person does within an hour; one more is taken in.
        refused: How many events were refused, by reason.
    """

    per_hour: int
    refused: Counter[str] = field(default_factory=Counter)
    _hours: OrderedDict[tuple[str, int], int] = field(default_factory=OrderedDict)

    def passed(self, batch: Sequence[Event], now_s: float) -> list[Event]:
        """Return the events that are taken in."""
        kept = []
        for event in batch:
            reason = self._reason(event, now_s)
            if reason is None:
                kept.append(event)
            else:
                self.refused[reason] += 1
        while len(self._hours) > _MOST_HOURS:
            self._hours.popitem(last=False)
        return kept

    def _reason(self, event: Event, now_s: float) -> str | None:
        if not _storable(event.user, event.item, event.kind, event.session):
            return "id"
        if not 0 <= event.time_s <= now_s + FUTURE_S:
            return "future" if event.time_s > 0 else "no time"
        hour = event.user, int(event.time_s // _HOUR_S)
        count = self._hours.get(hour, 0)
        if count > self.per_hour:  # by the one more that is kept, fits know the robot, too
            return "robot"
        self._hours[hour] = count + 1
        return None


def _storable(*ids: str) -> bool:
    """Whether every database takes these texts: no half of a surrogate pair, and no NUL."""
    whole = "".join(ids)
    try:
        whole.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in whole
