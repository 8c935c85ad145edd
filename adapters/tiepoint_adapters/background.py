"""A thread that works beside the others until it is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs a function in a thread of its own, from `start` to `stop`; may start again.

    Args:
        name: Of the thread.
        run: What it does: it looks at `ended` often, and returns when that is set.

    Attributes:
        ended: Set when it is to end.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.ended = threading.Event()
        self._name = name
        self._run = run
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to run."""
        self.ended.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        self.ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
