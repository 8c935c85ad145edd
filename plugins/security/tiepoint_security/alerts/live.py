"""Alerts as they happen, for whoever listens in this process, such as a web page."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.journal import Addressed, Journal

MOST_WAITING = 256
"""Messages that wait for one listener; beyond it the oldest goes."""


class Listener:
    """What one listener has not heard yet; bounded, so that a slow one costs nothing."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()

    def put(self, body: Mapping[str, Any]) -> None:
        """Add a message; the oldest goes where too many wait."""
        if self._waiting.qsize() >= MOST_WAITING:
            with suppress(queue.Empty):
                self._waiting.get_nowait()
        self._waiting.put(body)

    def next(self, timeout_s: float) -> Mapping[str, Any] | None:
        """Return the next message; None if there was none in time.

        Args:
            timeout_s: How long to wait for it.
        """
        try:
            return self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None


class LiveJournal:
    """A journal that tells listeners what it keeps, once it is kept.

    Alerts that are held back, as in quiet hours, are told of, too: who looks at the page is
    awake.

    Args:
        journal: What keeps alerts.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Give what hears everything that is kept from now on."""
        listener = Listener()
        with self._lock:
            self._listeners.append(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.remove(listener)

    def record(self, alert: Alert, messages: Sequence[Addressed]) -> None:
        """Keep an alert and accept its messages, then tell.

        Raises:
            StoreError: Nothing was kept.
        """
        self._journal.record(alert, messages)
        with self._lock:
            listeners = list(self._listeners)
        if not listeners:
            return
        bodies = [addressed.message.body for addressed in messages]
        for body in bodies or [{"type": "update", "id": alert.id, "after": alert.view()}]:
            for listener in listeners:
                listener.put(body)

    def acknowledged(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return who acknowledged which of these alerts.

        Raises:
            StoreError: It cannot be read.
        """
        return self._journal.acknowledged(ids)

    def unfinished(self) -> list[Alert]:
        """Return the alerts that went on when a process ended.

        Raises:
            StoreError: It cannot be read.
        """
        return self._journal.unfinished()
