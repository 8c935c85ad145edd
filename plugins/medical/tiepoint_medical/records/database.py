"""The database of the records: SQLite in a file, or PostgreSQL by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from tiepoint.errors import ConfigError, MissingDependencyError, StoreError
from tiepoint_medical.records.tables import Table

_BUSY_S = 30
_LOCK = 7_305_441_401
"""Names the lock under which PostgreSQL's writers wait for each other."""


class Database:
    """Opened at the first use; several processes may write, one at a time.

    Args:
        url: `postgresql://user:password@host/name`, or None for the file.
        file: Where SQLite keeps it.

    Raises:
        ConfigError: The URL names no PostgreSQL database.
        MissingDependencyError: The driver of PostgreSQL is absent.
    """

    def __init__(self, url: str | None, file: Path) -> None:
        self._file = file
        self._url = _parsed(url) if url else URL.create("sqlite", database=str(file))
        self.where = self._url.render_as_string(hide_password=True)

    @property
    def on_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self._url.get_backend_name() == "sqlite"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Run one transaction, alone among writers; durable when the block is left.

        Raises:
            StoreError: The database refused; nothing was written.
        """
        try:
            with Session(self._engine) as session, session.begin():
                if self.on_sqlite:
                    session.execute(text("BEGIN IMMEDIATE"))
                else:
                    session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                yield session
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or type(error).__name__
            raise StoreError(
                f"the records cannot be used ({cause})",
                where=self.where,
                hint="See that the database runs, is reachable and has space.",
            ) from error

    def close(self) -> None:
        """Close all connections."""
        if "_engine" in self.__dict__:
            self._engine.dispose()
            del self._engine

    @cached_property
    def _engine(self) -> Engine:
        if self.on_sqlite:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
            engine = create_engine(self._url, connect_args={"timeout": _BUSY_S})
            event.listen(engine, "connect", _explicit_transactions)
        else:
            engine = create_engine(self._url, pool_pre_ping=True)
        Table.metadata.create_all(engine)
        return engine


def _explicit_transactions(connection: object, _: object) -> None:
    # The driver would begin transactions by itself, and too late.
    connection.isolation_level = None  # type: ignore[attr-defined]


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "postgresql" and parsed.database:
            parsed.get_dialect().import_dbapi()
            return parsed
    except ImportError as error:
        raise MissingDependencyError(
            "the driver of PostgreSQL is not installed",
            where="plugins.medical.database",
            hint="pip install 'tiepoint-medical[postgresql]'",
        ) from error
    except (ArgumentError, NoSuchModuleError, ValueError):
        pass
    raise ConfigError(
        "the database is no PostgreSQL database",
        where="plugins.medical.database",
        hint="Write it like postgresql://user:password@host/name, or leave it out for SQLite.",
    )
