"""The database: opened, brought up to date, and written in whole transactions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from tiepoint.errors import ConfigError, MissingDependencyError, StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

_BUSY_S = 30.0
_MIGRATING = 7_305_441_298
"""Names the lock under which PostgreSQL is migrated; any number, the same for all of us."""


class Database:
    """Where records are: SQLite in a file, or PostgreSQL.

    Several processes may have it open. Nothing is connected to before the first use.

    Args:
        url: `sqlite:///FILE`, or `postgresql://user:password@host/name`.

    Raises:
        ConfigError: The URL names neither.
        MissingDependencyError: The driver of PostgreSQL is absent.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        self.where = self._url.render_as_string(hide_password=True)
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @classmethod
    def in_file(cls, path: Path) -> Database:
        """Return the SQLite database in a file, which need not be there yet."""
        return cls(URL.create("sqlite", database=str(path)).render_as_string(hide_password=False))

    @property
    def on_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self._url.get_backend_name() == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Run one transaction that writes; it is durable when the block is left.

        Raises:
            StoreError: The database refused; nothing was written.
        """
        with self._errors(), Session(self.engine()) as session, session.begin():
            if self.on_sqlite:  # else two that read and then write would deadlock
                session.execute(text("BEGIN IMMEDIATE"))
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Run queries.

        Raises:
            StoreError: The database refused.
        """
        with self._errors(), Session(self.engine()) as session:
            yield session

    def engine(self) -> Engine:
        """Return the engine; the first call opens the database and brings its tables up to date.

        Raises:
            StoreError: It cannot be opened or brought up to date.
        """
        with self._lock:
            if self._engine is None:
                with self._errors():
                    self._engine = self._opened()
            return self._engine

    def upgrade(self) -> tuple[str | None, str | None]:
        """Bring the tables up to date; returns the revision before, and the one after.

        Raises:
            StoreError: It cannot be opened or brought up to date.
        """
        with self._errors():
            before = self._revision() if self.is_there else None
            self.engine()
            return before, self._revision()

    @property
    def is_there(self) -> bool:
        """Whether there is anything: a server's database is taken to be there."""
        return not self.on_sqlite or Path(str(self._url.database)).is_file()

    def _revision(self) -> str | None:
        from alembic.migration import MigrationContext

        engine = create_engine(self._url)
        try:
            with engine.connect() as connection:
                return MigrationContext.configure(connection).get_current_revision()
        finally:
            engine.dispose()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _opened(self) -> Engine:
        if self.on_sqlite:
            file = Path(str(self._url.database))
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            engine = create_engine(self._url, connect_args={"timeout": _BUSY_S})
            event.listen(engine, "connect", _set_up_sqlite)
        else:
            engine = create_engine(
                self._url, pool_pre_ping=True, connect_args={"connect_timeout": 10}
            )
        with engine.connect() as connection:
            if self.on_sqlite:
                connection.execute(text("BEGIN IMMEDIATE"))
            else:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATING})"))
            migrate(connection)
            connection.commit()
        return engine

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"the database of alerts cannot be used ({cause})",
                where=self.where,
                hint="See that it runs, is reachable and has space.",
            ) from error


def migrate(connection: Any) -> None:
    """Bring the tables up to date in the connection's transaction.

    Args:
        connection: An open connection of SQLAlchemy.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if backend in ("sqlite", "postgresql"):
            parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ValueError):
        backend = ""
    except ImportError as error:
        raise MissingDependencyError(
            "the driver of PostgreSQL is not installed",
            where="database",
            hint="pip install 'tiepoint-security[postgresql]'",
        ) from error
    if backend not in ("sqlite", "postgresql") or not parsed.database:
        raise ConfigError(
            "the database is neither SQLite nor PostgreSQL",
            where="database",
            hint="Write it like postgresql://user:password@host/name, or leave it out.",
        )
    return parsed


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by itself, and too late; ours begin explicitly.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
