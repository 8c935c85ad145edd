"""Events taken in: whoever comes while a transaction is being written shares the next one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tiepoint.errors import StoreError, TiepointError
from tiepoint_recommendation.live.guard import Guard
from tiepoint_recommendation.live.impressions import Impression, ImpressionLog
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.types import Event

_CLICKS = frozenset({"click", "cart", "purchase", "like", "share", "comment"})
"""Events that say that what was shown was right; a `view` alone may come from anywhere."""
_MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of events.

    Attributes:
        kept: New ones; they are durable, and the next answer knows them.
        repeated: Known already.
        forgotten: Of users who asked to be forgotten, and older than that.
        refused: From the future, or more than a person does; `health` counts the reasons.
    """

    kept: int
    repeated: int
    forgotten: int
    refused: int


@dataclass(slots=True, eq=False)
class _Turn:
    """One caller's events, and what became of them once they are written.

    Attributes:
        batch: The events.
        outcome: What became of them, or why they were not kept; None before that is known.
        woken: Set when it is known, or when this caller is the one to write.
    """

    batch: Sequence[Event]
    outcome: Recorded | TiepointError | None = None
    woken: threading.Event = field(default_factory=threading.Event)


class Intake:
    """Makes events durable for many callers at once, as a disk takes few transactions a second.

    Each caller waits until its own events are on disk. Of the callers that wait, one writes
    for all.

    Args:
        events: Where events go.
        guard: What is not taken in.
        log: Where clicks are noted on what was shown; None for not at all.
        attribution_s: How long after it was shown a click counts.
    """

    def __init__(
        self, events: EventStore, guard: Guard, log: ImpressionLog | None, attribution_s: float
    ) -> None:
        self.events = events
        self._guard = guard
        self._log = log
        self._attribution_s = attribution_s
        self._waiting: deque[_Turn] = deque()
        self._writing = False
        self._lock = threading.Lock()

    def take(self, batch: Sequence[Event]) -> Recorded:
        """Take events in; they are durable when this returns.

        Raises:
            StoreError: The database refused; none was kept.
        """
        turn = _Turn(batch)
        with self._lock:
            self._waiting.append(turn)
            waits, self._writing = self._writing, True
        if waits:
            turn.woken.wait()
        if turn.outcome is None:
            self._write_for_all()
        if isinstance(turn.outcome, Recorded):
            return turn.outcome
        raise turn.outcome or StoreError("the events were not written")

    def _write_for_all(self) -> None:
        """Write for those who wait, and let the next who came meanwhile do so after."""
        with self._lock:
            turns = self._some()
        try:
            self._write(turns)
        finally:
            with self._lock:
                following = list(self._waiting)[:1]
                self._writing = bool(following)
            for turn in (*turns, *following):
                turn.woken.set()

    def _some(self) -> list[_Turn]:
        """Return those who wait, the first of them at least."""
        turns = [self._waiting.popleft()]
        count = len(turns[0].batch)
        while self._waiting and count + len(self._waiting[0].batch) <= _MOST_EVENTS:
            turns.append(self._waiting.popleft())
            count += len(turns[-1].batch)
        return turns

    def _write(self, turns: Sequence[_Turn]) -> None:
        now_s = time.time()
        passed = [self._guard.passed(turn.batch, now_s) for turn in turns]
        clicks = [
            (who, one.item, one.time_s)
            for batch in passed
            for one in batch
            if one.kind in _CLICKS
            for who in {one.user, one.session}
            if who
        ]
        log = self._log if clicks else None
        none: AbstractContextManager[list[Impression]] = nullcontext([])
        try:
            # What was just shown has to be there before it is clicked.
            with (
                none if log is None else log.waiting() as shown,
                self.events.database.writing() as session,
            ):
                connection = session.connection()
                appended = self.events.append_within(connection, passed)
                if log is not None:
                    log.store.add_within(connection, shown)
                    log.store.click_within(connection, clicks, self._attribution_s)
        except TiepointError as error:
            for turn in turns:
                turn.outcome = error
            return
        for turn, batch, found in zip(turns, passed, appended, strict=True):
            turn.outcome = Recorded(*found, len(turn.batch) - len(batch))
