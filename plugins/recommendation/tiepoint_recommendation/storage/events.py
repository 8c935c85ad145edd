"""The stream of events as it is kept: appended durably, read by user, forgotten on request."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.tables import events, facts, forgotten
from tiepoint_recommendation.types import Event

_APPEND = text(
    'INSERT INTO events ("user", item, kind, time_s, session, value)'
    " VALUES (:user, :item, :kind, :time_s, :session, :value) ON CONFLICT DO NOTHING"
)
_COLUMNS = '"user", item, kind, time_s, session, value'
_RECENT = text(
    f'SELECT {_COLUMNS} FROM events WHERE "user" = :key ORDER BY time_s DESC LIMIT :most'  # noqa: S608 - our own columns
)
_RECENT_OF_SESSION = text(
    f"SELECT {_COLUMNS} FROM events WHERE session = :key ORDER BY time_s DESC LIMIT :most"  # noqa: S608 - our own columns
)
_CHUNK = 10_000


class Appended(NamedTuple):
    """What became of events that were told.

    Attributes:
        kept: New ones, which are durable now.
        repeated: Known already, by user, item, kind and time.
        forgotten: Older than their user's wish to be forgotten.
    """

    kept: int
    repeated: int
    forgotten: int


class EventStore:
    """The events of a database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._secret: bytes | None = None

    def append(self, batch: Sequence[Event]) -> Appended:
        """Keep events; they are durable, all or none of them, when this returns.

        Args:
            batch: In any order; those that are known already are left out.

        Raises:
            StoreError: The database refused; none was kept.
        """
        if not batch:
            return Appended(0, 0, 0)
        with self.database.writing() as session:
            wanted = self._without_forgotten(session, batch)
            kept = 0
            if wanted:
                rows = [
                    {
                        "user": one.user,
                        "item": one.item,
                        "kind": one.kind,
                        "time_s": one.time_s,
                        "session": one.session,
                        "value": one.value,
                    }
                    for one in wanted
                ]
                kept = session.connection().execute(_APPEND, rows).rowcount
        return Appended(kept, len(wanted) - kept, len(batch) - len(wanted))

    def recent(self, user: str, most: int = 200) -> list[Event]:
        """Return the latest events of a user, the newest first."""
        return self._latest(_RECENT, user, most)

    def recent_of_session(self, session: str, most: int = 200) -> list[Event]:
        """Return the latest events of a session, the newest first."""
        return self._latest(_RECENT_OF_SESSION, session, most)

    def _latest(self, query: Any, key: str, most: int) -> list[Event]:
        return [Event(*row) for row in self.database.fetched(query, {"key": key, "most": most})]

    def all(self, until: int | None = None) -> Iterator[tuple[str, str, str, float, Any]]:
        """Yield user, item, kind, time and value of all events, in the order they were told.

        Args:
            until: Only those up to this number.
        """
        columns = events.c
        query = select(
            columns.user, columns.item, columns.kind, columns.time_s, columns.value
        ).order_by(columns.number)
        if until is not None:
            query = query.where(columns.number <= until)
        with self.database.reading() as session:
            for rows in session.execute(query).partitions(_CHUNK):
                yield from rows

    def users(self) -> list[str]:
        """Return the ids of all users with events, sorted."""
        with self.database.reading() as session:
            wanted = select(events.c.user).distinct().order_by(events.c.user)
            return [row[0] for row in session.execute(wanted)]

    def count(self) -> int:
        """Return how many events there are."""
        with self.database.reading() as session:
            return int(session.scalar(select(func.count()).select_from(events)) or 0)

    def count_of(self, user: str) -> int:
        """Return how many events of a user there are."""
        counted = select(func.count()).select_from(events).where(events.c.user == user)
        with self.database.reading() as session:
            return int(session.scalar(counted) or 0)

    def last_number(self) -> int:
        """Return the number of the event told last; 0 where there is none.

        It grows with every event, and tells whether a model has seen all of them.
        """
        with self.database.reading() as session:
            return int(session.scalar(select(func.max(events.c.number))) or 0)

    def forget(self, user: str) -> int:
        """Remove all events of a user; older ones that are told later are refused.

        Returns:
            How many there were.

        Raises:
            StoreError: The database refused; nothing was removed.
        """
        with self.database.writing() as session:
            wanted = delete(events).where(events.c.user == user)
            removed = session.connection().execute(wanted).rowcount
            digest = self._digest(session, user)
            session.execute(delete(forgotten).where(forgotten.c.digest == digest))
            session.execute(insert(forgotten), {"digest": digest, "time_s": time.time()})
        self.database.erase_traces()
        return int(removed)

    def _without_forgotten(self, session: Session, batch: Sequence[Event]) -> Sequence[Event]:
        rows = session.execute(select(forgotten.c.digest, forgotten.c.time_s)).all()
        if not rows:
            return batch
        since = {bytes(row[0]): row[1] for row in rows}
        never = float("-inf")
        until = {
            user: since.get(self._digest(session, user), never)
            for user in {one.user for one in batch}
        }
        return [one for one in batch if one.time_s > until[one.user]]

    def _digest(self, session: Session, user: str) -> bytes:
        if self._secret is None:
            content = session.scalar(select(facts.c.content).where(facts.c.name == "secret"))
            self._secret = bytes.fromhex(str(content))
        return hmac.digest(self._secret, user.encode("utf-8", "surrogatepass"), hashlib.sha256)
