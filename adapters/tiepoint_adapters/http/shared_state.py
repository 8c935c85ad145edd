"""What several replicas of a service share: rows in PostgreSQL, in a schema of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from tiepoint.errors import MissingDependencyError, StoreError
from tiepoint_adapters.http.state import Found, Rows

if TYPE_CHECKING:
    import psycopg

SCHEMA = "tiepoint_service"
_CONNECT_S = 5
_LOST_MS = 10_000
_OPTIONS = (
    f"-c search_path={SCHEMA} -c lock_timeout={_LOST_MS}"
    f" -c idle_in_transaction_session_timeout={_LOST_MS}"  # a replica that was frozen holds nobody
)
_LOCK = 7_493_001_184  # any number, the same in all replicas


class PostgresqlRows:
    """Rows in a PostgreSQL, on one connection that is made anew when it was lost.

    Args:
        url: `postgresql://user:password@host/name`.

    Raises:
        StoreError: It cannot be reached.
        MissingDependencyError: The driver is absent.
    """

    bytes_type = "BYTEA"

    def __init__(self, url: str) -> None:
        self._url = url
        self.where = _public(url)
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        try:
            import psycopg
        except ImportError as error:
            raise MissingDependencyError(
                "the driver of PostgreSQL is not installed",
                where="server.database",
                hint="pip install 'tiepoint[postgresql]'",
            ) from error
        self._error = psycopg.Error

    @contextmanager
    def transaction(self) -> Iterator[Rows]:
        with self._told(), self._lock:
            connection = self._begun()
            try:
                yield _Statements(connection)
            except BaseException:
                with suppress(self._error):
                    connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _begun(self) -> psycopg.Connection[Any]:
        """Begin a transaction that waits for those of other replicas; one broken line is mended."""
        for last in (False, True):
            if self._connection is None or self._connection.closed:
                self._connection = self._connected()
            try:
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            except self._error:
                self._connection.close()
                if last:
                    raise
            else:
                return self._connection
        raise AssertionError  # the loop has returned or raised

    def _connected(self) -> psycopg.Connection[Any]:
        import psycopg

        connection: psycopg.Connection[Any] = psycopg.connect(
            self._url,
            connect_timeout=_CONNECT_S,
            tcp_user_timeout=_LOST_MS,
            application_name="tiepoint",
            options=_OPTIONS,
        )
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
        connection.commit()
        return connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise StoreError(
                f"the state of the service cannot be used ({error!s:.200})",
                where=self.where,
                hint="See that PostgreSQL runs, is reachable and has space.",
            ) from error


class _Statements:
    """A connection that takes question marks, as SQLite does."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Found:
        return self._connection.execute(statement.replace("?", "%s").encode(), values or None)


def _public(url: str) -> str:
    """Return a URL without its password.

    >>> _public("postgresql://me:secret@db/service")
    'postgresql://me@db/service'
    """
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{credentials.partition(':')[0]}{at}{host}"))
