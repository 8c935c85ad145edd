"""The stream of events as it is kept: appended durably, read by user, forgotten on request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.engine import Connection

from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.forgotten import Forgotten, Name
from tiepoint_recommendation.storage.tables import events
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
_NEVER = float("-inf")


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
        self.forgotten = Forgotten()

    def append(self, batch: Sequence[Event]) -> Appended:
        """Keep events; they are durable, all or none of them, when this returns.

        Args:
            batch: In any order; those that are known already are left out.

        Raises:
            StoreError: The database refused; none was kept.
        """
        with self.database.writing() as session:
            return self.append_within(session.connection(), [batch])[0]

    def append_within(
        self, connection: Connection, batches: Sequence[Sequence[Event]]
    ) -> list[Appended]:
        """Keep several batches of events, each as `append` does, within one transaction."""
        users = {Name(one.user) for batch in batches for one in batch}
        until = self.forgotten.until(connection, users)
        found = []
        for batch in batches:
            wanted = [one for one in batch if one.time_s > until.get(Name(one.user), _NEVER)]
            kept = self.database.run_many(connection, _APPEND, wanted) if wanted else 0
            found.append(Appended(kept, len(wanted) - kept, len(batch) - len(wanted)))
        return found

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

    def remove(self, connection: Connection, user: str) -> tuple[int, list[str]]:
        """Remove all events of a user; older ones that are told later are refused.

        Args:
            connection: Within whose transaction.
            user: Whose.

        Returns:
            How many there were, and the sessions that they were of.
        """
        sessions = _sessions_of(connection, user)
        removed = connection.execute(delete(events).where(events.c.user == user)).rowcount
        names = [Name(user), *(Name(session, session=True) for session in sessions)]
        self.forgotten.note(connection, names)
        return int(removed), sessions

    def sessions_of(self, user: str) -> list[str]:
        """Return the sessions that events of a user are of."""
        with self.database.reading() as session:
            return _sessions_of(session.connection(), user)

    def is_forgotten(self, user: str) -> bool:
        """Return whether a user has asked to be forgotten."""
        with self.database.reading() as session:
            return bool(self.forgotten.until(session.connection(), [Name(user)]))


def _sessions_of(connection: Connection, user: str) -> list[str]:
    columns = events.c
    wanted = select(columns.session).where(columns.user == user, columns.session != "").distinct()
    return [row[0] for row in connection.execute(wanted)]
