"""A lock that many readers share and one writer has alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Entered(threading.local):
    """How often this thread has entered."""

    times = 0


class SharedLock:
    """Used as a context manager it is shared; `exclusive()` waits for the readers to leave.

    A waiting writer holds new readers back, so that it cannot starve. A thread that reads
    already may enter again, as often as it likes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._readers = 0
        self._writing = False
        self._entered = _Entered()

    def __enter__(self) -> None:
        self._entered.times += 1
        if self._entered.times > 1:
            return
        with self._lock:  # the condition's own `with` would cost a search two microseconds
            while self._writing:
                self._changed.wait()
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        self._entered.times -= 1
        if self._entered.times:
            return
        with self._lock:
            self._readers -= 1
            if self._writing and not self._readers:
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait until nobody reads, and keep everybody out until the end of the block."""
        with self._lock:
            while self._writing:
                self._changed.wait()
            self._writing = True
            while self._readers:
                self._changed.wait()
        try:
            yield
        finally:
            with self._lock:
                self._writing = False
                self._changed.notify_all()
