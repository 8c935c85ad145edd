"""Follows a stream: its messages become events, and are done with when these are durable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from tiepoint.errors import SchemaError, TiepointError
from tiepoint_adapters.background import Background
from tiepoint_recommendation.reading.records import event_of
from tiepoint_recommendation.streams.base import EventStream, Message
from tiepoint_recommendation.types import Event

log = logging.getLogger(__name__)

_BATCH = 1000
_WAIT_S = 1.0
_AGAIN_S = (1.0, 30.0)
"""How long to wait after a failure: at first, and at most."""


class Follower:
    """Reads a stream in a thread of its own.

    An event that comes twice, as after a kill, is kept once: the store knows it already.

    Args:
        stream: The stream.
        record: What takes the events; when it returns they are durable.
    """

    def __init__(self, stream: EventStream, record: Callable[[Sequence[Event]], object]) -> None:
        self.stream = stream
        self.read = self.refused = 0
        self.problem: str | None = None
        self._record = record
        self._background = Background("tiepoint-stream", self._run)

    def start(self) -> None:
        """Begin to follow."""
        self._background.start()

    def stop(self) -> None:
        """End, after the batch that is under way, and let go of the stream."""
        self._background.stop()
        self.stream.close()

    def health(self) -> dict[str, Any]:
        """Return how much was read, and what is wrong."""
        state = "ok" if self.problem is None else "failing"
        counts = {"status": state, "read": self.read, "refused": self.refused}
        return counts if self.problem is None else {**counts, "reason": self.problem}

    def step(self, wait_s: float = _WAIT_S) -> int:
        """Take in one batch; returns how many messages it had.

        Raises:
            StoreError: The stream or the database cannot be used; the messages come again.
        """
        messages = self.stream.read(_BATCH, wait_s)
        events = []
        for message in messages:
            try:
                events.append(_event(message))
            except (ValueError, SchemaError) as error:
                reason = error.what if isinstance(error, SchemaError) else str(error)
                self.stream.refuse(message, reason)
                self.refused += 1
        if events:
            self._record(events)
        self.stream.done(messages)
        self.read += len(messages)
        return len(messages)

    def _run(self) -> None:
        first, most = _AGAIN_S
        again_s = first
        while not self._background.ended.is_set():
            try:
                self.step()
                self.problem, again_s = None, first
            except TiepointError as error:
                self.problem = str(error)
                log.warning("%s; trying again in %g s", error, again_s)
                self._background.ended.wait(again_s)
                again_s = min(2 * again_s, most)


def _event(message: Message) -> Event:
    if message.fields is None:
        raise ValueError("the message is no JSON object")
    return event_of(message.fields)
