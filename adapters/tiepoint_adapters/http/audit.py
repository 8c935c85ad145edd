"""Who saw and changed what: entries that each carry the hash of the one before."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from tiepoint_adapters.audit.chain import BEGINNING, Hashing, Link, verified
from tiepoint_adapters.http.state import ServiceState

_HASHING = Hashing(compact=False)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what.

    Attributes:
        number: From 1, without gaps.
        time: When, in seconds since 1970.
        caller: Who.
        address: From where.
        action: What was done.
        subject: To what: the path of the request.
        digest: SHA-256 of this entry and of the digest before; an entry that is changed or
            removed breaks the chain.
    """

    number: int
    time: float
    caller: str
    address: str
    action: str
    subject: str
    digest: str


class Audit:
    """The entries.

    Args:
        state: Where they are kept.
    """

    def __init__(self, state: ServiceState) -> None:
        self._state = state

    def write(self, caller: str, address: str, action: str, subject: str) -> None:
        """Add an entry; durable on return.

        Raises:
            StoreError: It cannot be written; what it is about must not be done then.
        """
        with self._state.changing() as rows:
            last = rows.execute(
                "SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1"
            ).fetchone()
            number, before = last or (0, BEGINNING)
            said = (number + 1, time.time(), caller, address, action, subject)
            digest = _HASHING([before, *said])
            rows.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*said, digest))

    def entries(self, after: int, most: int) -> list[AuditEntry]:
        """Return entries in their order.

        Args:
            after: The number of the entry before the first one.
            most: How many.
        """
        with self._state.changing() as rows:
            found = rows.execute(
                "SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?", (after, most)
            ).fetchall()
        return [AuditEntry(*row) for row in found]

    def broken(self, after: int = 0, most: int | None = None) -> int | None:
        """Return the number of the first entry that does not follow from the one before.

        Args:
            after: The number of the entry before the first one that is looked at.
            most: How many are; all if not given.
        """
        before = BEGINNING
        if after:
            start = self.entries(after - 1, 1)
            if not start or start[0].number != after:
                return after
            before = start[0].digest
        return verified(self._links(after, before, most), after=after, before=before).broken_at

    def _links(self, after: int, before: str, most: int | None) -> Iterator[Link]:
        left = sys.maxsize if most is None else most
        while left > 0 and (entries := self.entries(after, min(_PAGE, left))):
            for entry in entries:
                *said, digest = asdict(entry).values()
                yield Link(entry.number, before, digest, _HASHING([before, *said]))
                before = digest
            after = entries[-1].number
            left -= len(entries)
