"""Temporary folders that do not outlive their process for long, even after SIGKILL."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

_PREFIX = "tiepoint-"
_LOCK = ".in-use"


class ScratchFolder:
    """A new temporary folder, removed by `close` or with this object.

    It holds a lock that the kernel drops when the process ends, whatever ends it. Making one
    first removes those that killed processes of this user have left behind. A forked process
    leaves the folders of its parent alone.

    Attributes:
        path: The folder, empty.
        close: Removes the folder. Idempotent.
    """

    def __init__(self, subject: str) -> None:
        _remove_abandoned(f"{_PREFIX}{subject}-")
        self._root = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{subject}-"))
        descriptor = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self.path = self._root / "content"
        self.path.mkdir()
        self.close = weakref.finalize(self, _remove, self._root, descriptor, os.getpid())


def _remove(root: Path, descriptor: int, maker: int) -> None:
    if os.getpid() == maker:
        shutil.rmtree(root, ignore_errors=True)
    os.close(descriptor)


def _remove_abandoned(prefix: str) -> None:
    for root in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        try:
            # Without the lock's file it is just being made: it is left alone.
            descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(root, ignore_errors=True)
        os.close(descriptor)
