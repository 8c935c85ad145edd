"""Whose turn it is to write."""

from __future__ import annotations

import threading

from tiepoint.errors import InputError


class WriteTurn:
    """Lets one thread write at a time, and says so to one that would wait for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None

    def __enter__(self) -> None:
        if self._holder == threading.get_ident():
            raise InputError(
                "the host is writing already, in this very thread",
                hint="Do not add, delete or close while the items of an `add` are being made.",
            )
        self._lock.acquire()
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = None
        self._lock.release()
