"""One fit at a time on a store, whichever process does it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def fit_turn(store: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the turn to fit on a store; gives whether it is held.

    Args:
        store: The folder of models.
        wait: Whether to wait for another process that fits.
    """
    folder = store / "models"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "fit.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
