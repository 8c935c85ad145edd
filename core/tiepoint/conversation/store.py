"""Where sessions lie between turns: a small SQLite file beside the store."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tiepoint.conversation.state import SessionState
from tiepoint.errors import QueryError, StoreError
from tiepoint.paths import cache_dir
from tiepoint.saving import make_private

FILE = "sessions.sqlite"
_NAME = re.compile(r"[\w.-]{1,64}")
_TABLE = (
    "CREATE TABLE IF NOT EXISTS sessions"
    " (name TEXT PRIMARY KEY, state TEXT NOT NULL, updated REAL NOT NULL)"
)
_BUSY_S = 10.0


def sessions_file(uri: str) -> Path:
    """Return where the sessions of a store lie: in its folder, or for a server in the cache."""
    if "://" in uri:
        return cache_dir("sessions") / f"{hashlib.sha256(uri.encode()).hexdigest()[:16]}.sqlite"
    return Path(uri).expanduser().absolute() / FILE


def checked_name(name: Any) -> str:
    """Return a session's name.

    Raises:
        QueryError: It is no string of 1 to 64 letters, digits and `_.-`.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise QueryError(
            f"{name!r:.80} is no name of a session",
            where="session",
            hint="Use 1 to 64 letters, digits, dots, dashes and underscores.",
        )
    return name


class SessionStore:
    """Sessions by name; several processes may use it at once.

    Args:
        path: The file; made with the first session.
        hours: How long after its last turn a session is kept.
    """

    def __init__(self, path: Path, hours: float) -> None:
        self._path = path
        self._seconds = hours * 3600

    def load(self, name: str) -> SessionState | None:
        """Return a session, or None where there is none, or none any more.

        Raises:
            QueryError: It was written by another release.
            StoreError: The file cannot be read.
        """
        with self._rows() as rows:
            found = rows.execute(
                "SELECT state FROM sessions WHERE name = ? AND updated > ?",
                (name, time.time() - self._seconds),
            ).fetchone()
        if found is None:
            return None
        try:
            return SessionState.model_validate_json(found[0])
        except ValidationError as error:
            raise QueryError(
                f"the session {name!r} was written by another release",
                where=str(self._path),
                hint="Reset it.",
            ) from error

    def save(self, name: str, state: SessionState) -> None:
        """Write a session, and forget those that have expired.

        Raises:
            StoreError: The file cannot be written.
        """
        now = time.time()
        with self._rows() as rows:
            rows.execute("DELETE FROM sessions WHERE updated <= ?", (now - self._seconds,))
            rows.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)",
                (name, state.model_dump_json(), now),
            )

    def names(self) -> list[tuple[str, float]]:
        """Return the sessions that are kept, with the time of their last turn, latest first.

        Raises:
            StoreError: The file cannot be read.
        """
        with self._rows() as rows:
            return rows.execute(
                "SELECT name, updated FROM sessions WHERE updated > ? ORDER BY updated DESC",
                (time.time() - self._seconds,),
            ).fetchall()

    def reset(self, name: str) -> bool:
        """Forget a session; tells whether there was one.

        Raises:
            StoreError: The file cannot be written.
        """
        with self._rows() as rows:
            return rows.execute("DELETE FROM sessions WHERE name = ?", (name,)).rowcount > 0

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_private(self._path)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as rows, rows:
                rows.execute(_TABLE)
                yield rows
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"the sessions cannot be used ({error!s:.100})",
                where=str(self._path),
                hint="Free some space, or remove the file: sessions are lost, items are not.",
            ) from error
