"""What the service itself keeps: one SQLite file for sign-ins, jobs, repeats and the audit."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiepoint.config.models import Deployment
from tiepoint.errors import StoreError

FILE = "service.sqlite"
_BUSY_S = 10.0
_TABLES = """
CREATE TABLE IF NOT EXISTS signins (
    digest TEXT PRIMARY KEY, key TEXT NOT NULL, csrf TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, parameters TEXT NOT NULL, status TEXT NOT NULL,
    caller TEXT NOT NULL, created REAL NOT NULL, started REAL, ended REAL, done INTEGER,
    total INTEGER, result TEXT, error TEXT);
CREATE TABLE IF NOT EXISTS repeats (
    caller TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER,
    body BLOB, media_type TEXT, made REAL NOT NULL, PRIMARY KEY (caller, key));
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, caller TEXT NOT NULL,
    address TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL);
"""


def state_folder(deployment: Deployment) -> Path:
    """Return where a deployment's service keeps what it keeps.

    That is `server.state`; failing that, `service/` in the folder of an embedded store, and
    for a store on a server a folder of the user's data, by the store's address.
    """
    if deployment.server.state is not None:
        return deployment.server.state
    uri = deployment.store.uri
    if "://" not in uri:
        return Path(uri).expanduser().absolute() / "service"
    from platformdirs import user_data_path

    name = hashlib.sha256(uri.encode()).hexdigest()[:16]
    return Path(user_data_path("tiepoint")) / "service" / name


class ServiceState:
    """The file; used from any thread, and durable after each `with` block of `changing`.

    Args:
        folder: Where it lies; made, for this user only.

    Raises:
        StoreError: It cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        with self._told():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / FILE
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._rows = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
            self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA synchronous = FULL")
            self._rows.executescript(_TABLES)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Give the rows to read and change, as one transaction; no other process writes meanwhile.

        Raises:
            StoreError: The file cannot be used.
        """
        with self._told(), self._lock, self._rows:
            self._rows.execute("BEGIN IMMEDIATE")  # else two that read and then write would clash
            yield self._rows

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._rows.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"the state of the service cannot be used ({error!s:.100})",
                where=str(self.folder),
                hint="Free some space, or name a folder that can be written to as `server.state`.",
            ) from error
