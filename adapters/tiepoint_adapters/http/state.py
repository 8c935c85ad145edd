"""What the service itself keeps: sign-ins, jobs, repeats and the audit, in SQLite or PostgreSQL."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tiepoint.config.models import Deployment
from tiepoint.errors import StoreError
from tiepoint.saving import make_private

FILE = "service.sqlite"
_BUSY_S = 10.0
_TABLES = (
    """CREATE TABLE IF NOT EXISTS signins (
    digest TEXT PRIMARY KEY, key TEXT NOT NULL, csrf TEXT NOT NULL,
    expires DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, parameters TEXT NOT NULL, status TEXT NOT NULL,
    caller TEXT NOT NULL, created DOUBLE PRECISION NOT NULL, started DOUBLE PRECISION,
    ended DOUBLE PRECISION, done BIGINT, total BIGINT, result TEXT, error TEXT)""",
    """CREATE TABLE IF NOT EXISTS repeats (
    caller TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER,
    body {bytes}, media_type TEXT, made DOUBLE PRECISION NOT NULL, PRIMARY KEY (caller, key))""",
    """CREATE TABLE IF NOT EXISTS audit (
    number BIGINT PRIMARY KEY, time DOUBLE PRECISION NOT NULL, caller TEXT NOT NULL,
    address TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS processes (id TEXT PRIMARY KEY, seen DOUBLE PRECISION NOT NULL)",
)
_LATER_COLUMNS = {
    "jobs": {"process": "TEXT", "cancelled": "INTEGER NOT NULL DEFAULT 0"},
    "repeats": {"process": "TEXT"},
}


class Found(Protocol):
    """What a statement found."""

    @property
    def rowcount(self) -> int: ...
    @property
    def description(self) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Rows(Protocol):
    """The rows, in a transaction; values stand for the question marks of a statement."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Found: ...


class Database(Protocol):
    """Where the rows are."""

    where: str
    bytes_type: str

    def transaction(self) -> Any:
        """Return a context that gives the rows, as one transaction."""

    def close(self) -> None:
        """Close it."""


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
    """The rows; used from any thread, and durable after each `with` block of `changing`.

    Args:
        folder: Where files are kept, and the rows if they are in no PostgreSQL; made, for this
            user only.
        url: `postgresql://user:password@host/name`, which several processes share.

    Raises:
        StoreError: It cannot be used.
        MissingDependencyError: The driver of PostgreSQL is absent.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(str(folder), error) from error
        self._rows: Database
        if url is None:
            self._rows = _SqliteFile(folder / FILE)
        else:
            from tiepoint_adapters.http.shared_state import PostgresqlRows

            self._rows = PostgresqlRows(url)
        with self.changing() as rows:
            _prepare(rows, self._rows.bytes_type)

    @contextmanager
    def changing(self) -> Iterator[Rows]:
        """Give the rows to read and change, as one transaction; no other process writes meanwhile.

        Raises:
            StoreError: They cannot be used.
        """
        with self._rows.transaction() as rows:
            yield rows

    def close(self) -> None:
        """Close what they are in."""
        self._rows.close()


class _SqliteFile:
    """Rows in a file.

    Args:
        path: The file; made, for this user only.
    """

    bytes_type = "BLOB"

    def __init__(self, path: Path) -> None:
        self.where = str(path.parent)
        self._lock = threading.Lock()
        with self._told():
            make_private(path)
            self._rows = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
            self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def transaction(self) -> Iterator[Rows]:
        with self._told(), self._lock, self._rows:
            self._rows.execute("BEGIN IMMEDIATE")  # else two that read and then write would clash
            yield self._rows

    def close(self) -> None:
        with self._lock:
            self._rows.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self.where, error) from error


def _prepare(rows: Rows, bytes_type: str) -> None:
    """Make the tables, or add what an older release did not have."""
    for table in _TABLES:
        rows.execute(table.replace("{bytes}", bytes_type))
    for name, columns in _LATER_COLUMNS.items():
        known = {column[0] for column in rows.execute(f"SELECT * FROM {name} LIMIT 0").description}  # noqa: S608
        for column, kind in columns.items():
            if column not in known:
                rows.execute(f"ALTER TABLE {name} ADD COLUMN {column} {kind}")


def _unusable(where: str, error: Exception) -> StoreError:
    return StoreError(
        f"the state of the service cannot be used ({error!s:.100})",
        where=where,
        hint="Free some space, or name a folder that can be written to as `server.state`.",
    )
