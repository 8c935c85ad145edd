"""Jobs, the worklist and the audit log, on one database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from tiepoint.errors import InputError
from tiepoint_adapters.audit.chain import Hashing, Verification
from tiepoint_adapters.audit.log import AuditLog
from tiepoint_medical.records.database import Database
from tiepoint_medical.records.tables import AuditRow, JobRow, MatchRow


class Records:
    """Keeps what was done. No text and no identifier of a patient is written, only pseudonyms.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = AuditLog(database, AuditRow, time.time, Hashing(compact=False))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # Jobs

    def done(self, job: str) -> frozenset[str]:
        """Return the parts of a job that need not be done again."""
        wanted = select(JobRow.part).where(JobRow.job == job, JobRow.state == "done")
        with self._database.reading() as session:
            return frozenset(session.scalars(wanted))

    def finish(self, job: str, parts: Collection[str], state: str, reason: str = "") -> None:
        """Note what became of parts of a job: `done` or `skipped`."""
        with self._database.writing() as session:
            self._database.alone(session, "finish parts of a job")
            for part in parts:
                session.merge(
                    JobRow(job=job, part=part, state=state, reason=reason[:500], at_s=time.time())
                )

    # The worklist

    def add_match(self, result: Mapping[str, Any], user: str) -> str:
        """Put a match on the worklist, and into the log; return its id."""
        match = secrets.token_hex(8)
        with self._database.writing() as session:
            session.add(MatchRow(id=match, created_s=time.time(), result=dict(result)))
            self._log.note(session, user, "matched", match, {"hits": len(result.get("hits", []))})
        return match

    def worklist(self, unread: bool = True, most: int = 100) -> list[dict[str, Any]]:
        """Return matches as plain data, the newest first."""
        wanted = select(MatchRow).order_by(MatchRow.created_s.desc()).limit(most)
        if unread:
            wanted = wanted.where(MatchRow.read_s.is_(None))
        with self._database.reading() as session:
            return [
                {
                    "id": row.id,
                    "created": row.created_s,
                    "read_by": row.read_by,
                    "read": row.read_s,
                    "result": row.result,
                }
                for row in session.scalars(wanted)
            ]

    def read_match(self, match: str, user: str) -> dict[str, Any]:
        """Mark a match as read and return its result.

        Raises:
            InputError: There is none of this id.
        """
        with self._database.writing() as session:
            row = session.get(MatchRow, match)
            if row is None:
                raise InputError("there is no such match", where=match, hint="See the worklist.")
            row.read_by, row.read_s = user, time.time()
            self._log.note(session, user, "read", match, {})
            return dict(row.result)

    # The log

    def note(self, user: str, action: str, subject: str, details: Mapping[str, Any]) -> None:
        """Add a line to the audit log: who did what to what."""
        with self._database.writing() as session:
            self._log.note(session, user, action, subject, details)

    def audit(self, most: int = 1000) -> list[dict[str, Any]]:
        """Return the newest lines of the log, oldest first."""
        lines = self._log.lines(most=most)
        return [{"at_s" if name == "at" else name: line[name] for name in line} for line in lines]

    def verify(self, head: str | None = None) -> Verification:
        """Check that no line of the log was changed, removed, put in or moved.

        Args:
            head: A hash noted earlier, which has to be in the log still.
        """
        return self._log.verify(head)
