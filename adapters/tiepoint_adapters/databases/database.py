"""A plugin's database: SQLite in a file, or PostgreSQL by URL."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from tiepoint.errors import StoreError
from tiepoint.saving import make_private
from tiepoint_adapters.databases.urls import SQLITE, checked_url

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

_BUSY_S = 30.0
_CONNECT_S = 10
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


class Database(ABC):
    """Where a plugin keeps its tables; it subclasses this, and brings them in `prepare`.

    Several processes may have one open. Nothing is connected to before the first use, and a
    database that was closed opens again when it is used.

    Args:
        url: `sqlite:///FILE`, or `postgresql://user:password@host/name`.

    Raises:
        ConfigError: The URL names neither.
        MissingDependencyError: The driver of PostgreSQL is absent.

    Attributes:
        keeps: What it holds, as errors call it: `the database of KEEPS`.
        distribution: Whose extra `postgresql` brings the driver.
        where: The URL without its password.
    """

    keeps: ClassVar[str]
    distribution: ClassVar[str]

    def __init__(self, url: str) -> None:
        self._url = checked_url(url, self.distribution)
        self.where = self._url.render_as_string(hide_password=True)
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @abstractmethod
    def prepare(self, connection: Connection) -> None:
        """Make the tables or bring them up to date, in the connection's transaction.

        No other process does so at the same time.

        Raises:
            StoreError: A newer release has made them.
        """

    @classmethod
    def in_file(cls, path: Path) -> Self:
        """Return the SQLite database in a file, which need not be there yet."""
        return cls(URL.create(SQLITE, database=str(path)).render_as_string(hide_password=False))

    @classmethod
    def at(cls, url: str | None, file: Path) -> Self:
        """Return the database at a URL, or the one in the file where there is no URL."""
        return cls(url) if url else cls.in_file(file)

    @property
    def on_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self._url.get_backend_name() == SQLITE

    @property
    def exists(self) -> bool:
        """Whether there is something to open: a server's database is taken to be there."""
        return not self.on_sqlite or Path(str(self._url.database)).is_file()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Run one transaction that writes; it is durable when the block is left.

        Raises:
            StoreError: The database refused; nothing was written.
        """
        with self.errors(), Session(self.engine()) as session, session.begin():
            if self.on_sqlite:  # else two that read and then write would deadlock
                session.execute(text("BEGIN IMMEDIATE"))
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Run queries.

        Raises:
            StoreError: The database refused.
        """
        with self.errors(), Session(self.engine()) as session:
            yield session

    def alone(self, session: Session, doing: str) -> None:
        """Wait until no other transaction does the same, and let none until this one ends.

        Args:
            session: Of `writing`.
            doing: Names what is done; any text, the same for all who do it.
        """
        if not self.on_sqlite:  # where only one writes at a time anyway
            _lock(session.connection(), doing)

    def engine(self) -> Engine:
        """Return the engine; the first call opens the database and prepares its tables.

        Raises:
            StoreError: It cannot be opened or prepared.
        """
        with self._lock:
            if self._engine is None:
                with self.errors():
                    self._engine = self._opened()
            return self._engine

    def erase_traces(self) -> None:
        """Overwrite what was deleted, also in SQLite's write-ahead log.

        PostgreSQL keeps deleted rows until it vacuums, which is its administrator's matter.

        Raises:
            StoreError: Another process is reading for so long that the log cannot be cut.
        """
        if not self.on_sqlite:
            return
        with self.errors(), self.engine().connect() as connection:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
        if busy:
            raise StoreError(
                "another process reads the database, so the log still holds what was deleted",
                where=self.where,
                hint="Run the command again when it has finished.",
            )

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Tell what the database refuses as a StoreError."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"the database of {self.keeps} cannot be used ({cause})",
                where=self.where,
                hint="See that it runs, is reachable and has space.",
            ) from error

    @contextmanager
    def unprepared(self) -> Iterator[Connection]:
        """Connect to what is there, without preparing its tables first.

        Raises:
            StoreError: The database refused.
        """
        engine = self._on_file() if self.on_sqlite else self._on_server()
        try:
            with self.errors(), engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _opened(self) -> Engine:
        engine = self._on_file() if self.on_sqlite else self._on_server()
        with engine.connect() as connection, connection.begin():
            if self.on_sqlite:
                connection.execute(text("BEGIN IMMEDIATE"))
            else:
                _lock(connection, "prepare")
            self.prepare(connection)
        return engine

    def _on_file(self) -> Engine:
        file = Path(str(self._url.database))
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _make_new(file)
        engine = create_engine(self._url, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _set_up_sqlite)
        return engine

    def _on_server(self) -> Engine:
        told = {"connect_timeout": _CONNECT_S}
        return create_engine(self._url, pool_pre_ping=True, connect_args=told)


def _lock(connection: Connection, doing: str) -> None:
    number = hashlib.sha256(f"tiepoint {doing}".encode()).digest()[:8]
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:number)"),
        {"number": int.from_bytes(number, "big", signed=True)},
    )


def _make_new(file: Path) -> None:
    """Make an empty database that has a write-ahead log, unless another process makes it first.

    Of several that turn the log on in one file, all but one could be refused: SQLite does not
    wait there.
    """
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        draft = Path(folder, file.name)
        make_private(draft)
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with suppress(FileExistsError):
            file.hardlink_to(draft)


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by itself, and too late; ours begin explicitly.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
