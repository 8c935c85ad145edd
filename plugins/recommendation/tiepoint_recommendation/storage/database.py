"""The database: opened, its tables made, and written in whole transactions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, TextClause, create_engine, event, insert, select, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from tiepoint.errors import ConfigError, MissingDependencyError, StoreError
from tiepoint_recommendation.storage import tables

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

FILE = "recommendation.db"
"""The SQLite database in a store's folder."""

_LAYOUT = "1"
_BUSY_S = 30.0
_CREATING = 7_305_441_299
"""Names the lock under which PostgreSQL's tables are made; any number, the same for all."""


class Database:
    """Where events and the catalogue are: SQLite in a file, or PostgreSQL.

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
        self._prepared: dict[str, Any] = {}
        self._lock = threading.Lock()

    @classmethod
    def of_store(cls, folder: Path, url: str | None = None) -> Database:
        """Return the database of a store: the one at the URL, or the file in its folder.

        The file need not be there yet.
        """
        if url:
            return cls(url)
        file = URL.create("sqlite", database=str(folder / FILE))
        return cls(file.render_as_string(hide_password=False))

    @property
    def on_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def exists(self) -> bool:
        """Whether there is something to open; a server's is only known by connecting."""
        return not self.on_sqlite or Path(str(self._url.database)).is_file()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Run one transaction that writes; it is durable when the block is left.

        Raises:
            StoreError: The database refused; nothing was written.
        """
        with self._errors(), self.engine().connect() as connection, connection.begin():
            if self.on_sqlite:  # else two that read and then write would deadlock
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Run queries.

        Raises:
            StoreError: The database refused.
        """
        with self._errors(), self.engine().connect() as connection:
            yield connection

    def fetched(self, query: TextClause, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, by the driver itself: for what every answer waits for.

        Args:
            query: Texts that differ are each prepared once and kept, so they should be few.
            values: Of its parameters.

        Raises:
            StoreError: The database refused.
        """
        with self._errors(), closing(self.engine().raw_connection()) as connection:
            prepared = self._compiled(query)
            given: Any = {name: values[name] for name in prepared.bind_names.values()}
            if prepared.positional:
                given = [given[name] for name in prepared.positiontup or ()]
            cursor = connection.cursor()
            cursor.execute(str(prepared), given)
            rows = [tuple(row) for row in cursor.fetchall()]
            cursor.close()
            return rows

    def run_many(
        self, connection: Connection, statement: TextClause, rows: Sequence[object]
    ) -> int:
        """Run a statement for many rows, by the driver itself, within a transaction.

        A thread that does this leaves the interpreter to others all the while but for moments.

        Args:
            connection: Of `writing`.
            statement: See `fetched`.
            rows: Their attributes are the values of its parameters; at least one.

        Returns:
            How many rows were changed, or made.
        """
        prepared = self._compiled(statement)
        names = list(prepared.positiontup or prepared.bind_names.values())
        given: list[Any] = list(map(attrgetter(*names), rows))
        if not prepared.positional:
            given = [dict(zip(names, values, strict=True)) for values in given]
        return connection.exec_driver_sql(str(prepared), given).rowcount

    def ensure(self, more: MetaData) -> None:
        """Make further tables where they are absent.

        Raises:
            StoreError: They cannot be made.
        """
        with self.writing() as connection:
            more.create_all(connection)

    def engine(self) -> Engine:
        """Return the engine; the first call opens the database and makes its tables.

        Raises:
            StoreError: It cannot be opened, or a newer release has made it.
        """
        with self._lock:
            if self._engine is None:
                with self._errors():
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
        with self._errors(), self.engine().connect() as connection:
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

    def _compiled(self, statement: TextClause) -> Any:
        prepared = self._prepared.get(statement.text)
        if prepared is None:
            prepared = self._prepared[statement.text] = statement.compile(self.engine())
        return prepared

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
        with engine.connect() as connection, connection.begin():
            if self.on_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_CREATING})"))
            tables.metadata.create_all(connection)
            self._check_layout(connection)
        return engine

    def _check_layout(self, connection: Connection) -> None:
        facts = tables.facts
        layout = connection.scalar(select(facts.c.content).where(facts.c.name == "layout"))
        if layout is None:
            secret = os.urandom(32).hex()
            connection.execute(
                insert(facts),
                [{"name": "layout", "content": _LAYOUT}, {"name": "secret", "content": secret}],
            )
        elif layout != _LAYOUT:
            raise StoreError(
                f"the database has layout {layout}, and this release reads {_LAYOUT}",
                where=self.where,
                hint="Upgrade tiepoint-recommendation.",
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"the database of events cannot be used ({cause})",
                where=self.where,
                hint="See that it runs, is reachable and has space.",
            ) from error


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
            hint="pip install 'tiepoint-recommendation[postgresql]'",
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
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
