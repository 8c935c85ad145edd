"""The audit log in a database: who did what to what, and whether anybody changed it since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tiepoint_adapters.audit.chain import BEGINNING, Hashing, Link, Verification, verified
from tiepoint_adapters.databases.database import Database


class AuditColumns:
    """The columns of a line, for the table of a plugin to inherit.

    `hash` covers the line and the hash of the one before; `at` is a text, such as an ISO 8601
    time, unless the table says otherwise.
    """

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[Any] = mapped_column(String(32))
    user: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(512))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


_SAID = ("number", "at", "user", "action", "subject", "details", "previous")


class AuditLog:
    """Writes, lists and checks the log.

    Args:
        database: Where it is.
        table: Which table of it.
        now: Gives what a line has as its time.
        hashing: How its lines are hashed.
    """

    def __init__(
        self,
        database: Database,
        table: type[AuditColumns],
        now: Callable[[], Any],
        hashing: Hashing,
    ) -> None:
        self.database = database
        self._table = table
        self._now = now
        self._hashing = hashing

    def note(
        self,
        session: Session,
        user: str,
        action: str,
        subject: str,
        details: Mapping[str, Any] | None = None,
    ) -> str:
        """Add a line, in the caller's transaction; return its hash.

        Args:
            session: Of `Database.writing`: what is noted and what was done are one.
            user: Who.
            action: What, such as `viewed` or `exported`.
            subject: To what, such as an alert's id.
            details: Plain JSON data.
        """
        self.database.alone(session, "audit")
        last = session.scalar(select(self._table).order_by(self._table.number.desc()).limit(1))
        row = self._table()
        row.number = 1 if last is None else last.number + 1
        row.at = self._now()
        row.user, row.action, row.subject = user, action, subject
        row.details = dict(details or {})
        row.previous = BEGINNING if last is None else last.hash
        row.hash = self._computed(row)
        session.add(row)
        session.flush()
        return row.hash

    def lines(
        self, subject: str | None = None, user: str | None = None, most: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the newest lines as plain data, oldest first.

        Args:
            subject: Only those about it.
            user: Only that user's.
            most: How many; all if not given.
        """
        table = self._table
        wanted = select(table).order_by(table.number.desc())
        if subject is not None:
            wanted = wanted.where(table.subject == subject)
        if user is not None:
            wanted = wanted.where(table.user == user)
        if most is not None:
            wanted = wanted.limit(most)
        with self.database.reading() as session:
            rows = session.scalars(wanted)
            return [{name: getattr(row, name) for name in (*_SAID, "hash")} for row in rows][::-1]

    def verify(self, head: str | None = None) -> Verification:
        """Check every line against the one before.

        Args:
            head: A hash noted earlier, which has to be in the chain still.
        """
        return verified(self._links(), head)

    def _links(self) -> Iterator[Link]:
        wanted = select(self._table).order_by(self._table.number)
        with self.database.reading() as session:
            for row in session.scalars(wanted.execution_options(yield_per=1000)):
                yield Link(row.number, row.previous, row.hash, self._computed(row))

    def _computed(self, row: AuditColumns) -> str:
        return self._hashing([getattr(row, name) for name in _SAID])
