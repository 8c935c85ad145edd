"""One process owns an embedded store: a file lock that the kernel releases, whatever happens."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tiepoint.errors import InputError, StoreError, StoreOwnedError

LOCK_FILE = "owner.lock"

OPENING_WRITES = "Opening a store writes to it, also for a search."
"""Why a store that is only searched must be writable; begins the hints of errors."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a store.

    Attributes:
        pid: Its process id.
        command: Its command line.
        since: When it took the store, as local time (`2026-01-31 18:04:59`).
    """

    pid: int
    command: str
    since: str


class StoreLock:
    """Exclusive ownership of a store folder, for as long as this object is held.

    The lock is an advisory `flock` on a file in the folder, which the kernel drops when the
    process ends, also by SIGKILL; the file's text says who holds it and may be stale when
    nobody does. Two locks on one folder exclude each other within a process, too.

    Args:
        folder: The store's folder; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the store.

        Raises:
            StoreOwnedError: Another process, or another host in this one, holds it.
            InputError: The folder cannot be written to.
            StoreError: The disk is full.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(
                f"the store cannot be written to ({error.strerror})",
                where=str(self._folder),
                hint=f"{OPENING_WRITES} Give this user write access, or a copy of the folder.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise _owned(self._folder) from None
        self._descriptor = descriptor
        owner = Owner(os.getpid(), _command(), time.strftime("%Y-%m-%d %H:%M:%S"))
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)
        except OSError as error:
            self.release()
            raise StoreError(
                f"the store cannot be opened ({error.strerror})",
                where=str(self._folder),
                hint=f"{OPENING_WRITES} Free some space.",
            ) from error

    def release(self) -> None:
        """Give the store up; does nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def current_owner(folder: Path) -> Owner | None:
    """Return the process that holds this store now, or None.

    Args:
        folder: The store's folder, which need not exist.
    """
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def _read(descriptor: int) -> Owner:
    # Between taking the lock and writing the text, the owner is real but not yet named.
    try:
        return Owner(**json.loads(os.pread(descriptor, 65536, 0)))
    except (ValueError, TypeError):
        return Owner(0, "a process that is just starting", "now")


def _owned(folder: Path) -> StoreOwnedError:
    owner = current_owner(folder)
    if owner is None:
        what = "another process held the store a moment ago"
        hint = "Try again."
    elif owner.pid == os.getpid():
        what = f"this process already has the store open, since {owner.since}"
        hint = "Close the other host first, or share it."
    else:
        what = f"process {owner.pid} ({owner.command}) has held the store since {owner.since}"
        hint = "Stop that process, or name another folder."
    return StoreOwnedError(what, where=str(folder), hint=hint)


def _command() -> str:
    words = [Path(sys.argv[0]).name or Path(sys.executable).name, *sys.argv[1:]]
    return " ".join(words)[:200]
