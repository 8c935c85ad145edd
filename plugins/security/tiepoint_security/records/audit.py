"""The audit log: who did what, each line chained to the one before by its hash.

A line that is changed, removed or put in between breaks the chain where it stands. Lines cut off
at the end, and a chain that somebody computed anew from one line on, show against a hash noted
elsewhere (`head`), or, where a secret key is set, by the key, which is not in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_security.records.database import Database
from tiepoint_security.records.tables import AuditRow

BEGINNING = "0" * 64
"""What the first line has as the hash of the line before."""

_LOCK = 7_305_441_299


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking the chain found.

    Attributes:
        lines: How many lines there are.
        head: The hash of the last one.
        broken_at: The number of the first line that does not fit; None if all do.
        reason: Why it does not fit.
    """

    lines: int
    head: str
    broken_at: int | None = None
    reason: str | None = None

    @property
    def intact(self) -> bool:
        """Whether the whole chain fits."""
        return self.broken_at is None


class AuditLog:
    """Writes and checks the log.

    Args:
        database: Where it is.
        clock: The clocks.
        key: A secret that the hashes are keyed with; without one anybody can compute them.
    """

    def __init__(self, database: Database, clock: Clock, key: bytes | None = None) -> None:
        self.database = database
        self.clock = clock
        self._key = key

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
        if not self.database.on_sqlite:  # where writers wait for each other anyway
            session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        last = session.scalar(select(AuditRow).order_by(AuditRow.number.desc()).limit(1))
        row = AuditRow(
            number=1 if last is None else last.number + 1,
            at=timestamp(self.clock.wall()),
            user=user,
            action=action,
            subject=subject,
            details=dict(details or {}),
            previous=BEGINNING if last is None else last.hash,
        )
        row.hash = self._hash(row)
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
        wanted = select(AuditRow).order_by(AuditRow.number.desc())
        if subject is not None:
            wanted = wanted.where(AuditRow.subject == subject)
        if user is not None:
            wanted = wanted.where(AuditRow.user == user)
        if most is not None:
            wanted = wanted.limit(most)
        with self.database.reading() as session:
            return [_plain(row) for row in session.scalars(wanted)][::-1]

    def verify(self, head: str | None = None) -> Verification:
        """Check every line against the one before.

        Args:
            head: A hash noted earlier, which has to be in the chain still.
        """
        previous, count, head_seen = BEGINNING, 0, head is None
        for row in self._all():
            count += 1
            reason = None
            if row.number != count:
                reason = f"line {count} is missing"
            elif row.previous != previous:
                reason = "it does not follow the line before"
            elif not hmac.compare_digest(row.hash, self._hash(row)):
                reason = "its hash is not that of its content"
            if reason is not None:
                return Verification(count, previous, row.number, reason)
            previous = row.hash
            head_seen = head_seen or row.hash == head
        if not head_seen:
            reason = "the noted hash is not in the chain: lines were cut off or made anew"
            return Verification(count, previous, count + 1, reason)
        return Verification(count, previous)

    def _all(self) -> Iterator[AuditRow]:
        wanted = select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=1000)
        with self.database.reading() as session:
            yield from session.scalars(wanted)

    def _hash(self, row: AuditRow) -> str:
        content = json.dumps(
            [row.number, row.at, row.user, row.action, row.subject, row.details, row.previous],
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode()
        if self._key is not None:
            return hmac.new(self._key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()


def _plain(row: AuditRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.at,
        "user": row.user,
        "action": row.action,
        "subject": row.subject,
        "details": row.details,
        "hash": row.hash,
    }
