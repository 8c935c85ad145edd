"""Whose turn it is to write."""

from __future__ import annotations

import threading

from tiepoint.errors import InputError


class WriteTurn:
    """Lets one thread write at a time, and says so to one that would wait for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def refuse_nested(self) -> None:
        """Make sure that this thread is not writing already.

        Raises:
            InputError: It is.
        """
        if self._holder == threading.get_ident():
            raise InputError(
                "the host is writing already, in this very thread",
                hint="Do not add, delete or close while the items of an `add` are being made.",
            )

    def __enter__(self) -> None:
        self.refuse_nested()
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = None
        self._lock.release()
