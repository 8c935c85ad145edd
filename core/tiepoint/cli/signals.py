"""SIGTERM ends a command as Ctrl-C does: what is open is closed, what is written is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM."""


@contextmanager
def termination_raises() -> Iterator[None]:
    """Raise `Terminated` in the main thread at the first SIGTERM; further ones are ignored.

    Where another handler is in place, or outside the main thread, nothing is changed.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(*_: object) -> None:
    # Closing a store takes a moment, and must not be interrupted half-way.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
