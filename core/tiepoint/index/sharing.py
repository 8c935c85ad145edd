"""A lock that many readers share and one writer has alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident


class SharedLock:
    """Used as a context manager it is shared; `exclusive()` waits for the readers to leave.

    A waiting writer holds new readers back, so that it cannot starve. A thread that reads
    already may enter again, as often as it likes.

    A reader takes no lock while nobody writes. It enters first and looks for a writer then; a
    writer announces itself first and looks for readers then: one of them sees the other.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._readers: list[int] = []  # a thread stands in it as often as it has entered
        self._writing = False

    def __enter__(self) -> None:
        self._readers.append(get_ident())
        if self._writing:
            self._wait_for_writer(get_ident())

    def _wait_for_writer(self, reader: int) -> None:
        with self._changed:
            if self._readers.count(reader) > 1:
                return
            self._readers.remove(reader)
            self._changed.notify_all()
            while self._writing:
                self._changed.wait()
            self._readers.append(reader)

    def __exit__(self, *_: object) -> None:
        self._readers.remove(get_ident())
        if self._writing:
            with self._changed:
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait until nobody reads, and keep everybody out until the end of the block."""
        with self._changed:
            while self._writing:
                self._changed.wait()
            self._writing = True
            while self._readers:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
