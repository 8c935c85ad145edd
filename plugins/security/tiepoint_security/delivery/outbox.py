"""The outbox: messages that were accepted, until each sink has them or never will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_adapters.sinks.base import Message
from tiepoint_security.delivery.settings import LONGEST_WAIT_S
from tiepoint_security.records.database import Database
from tiepoint_security.records.tables import OutboxRow


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that was claimed for sending to one sink.

    Attributes:
        number: Its row.
        message: What is sent.
        created_s: When it was accepted, or last made anew, in seconds since 1970.
        attempts: How often it was tried before.
    """

    number: int
    message: Message
    created_s: float
    attempts: int


def accept(session: Session, alert_id: str, message: Message, sinks: Sequence[str]) -> None:
    """Add a message to the outbox, for each sink, in the caller's transaction.

    Args:
        session: A transaction of `Database.writing`; when it ends, the message is accepted.
        alert_id: What it is about: messages about one thing reach a sink in their order.
        message: The message.
        sinks: The names of the sinks.
    """
    # A commit whose answer was lost is done again.
    known = set(session.scalars(select(OutboxRow.sink).where(OutboxRow.key == message.key)))
    session.add_all(
        OutboxRow(
            key=message.key,
            sink=sink,
            alert_id=alert_id,
            state="waiting",
            message=asdict(message),
            created_s=message.created_s,
            due_s=message.created_s,
            attempts=0,
        )
        for sink in sinks
        if sink not in known
    )


class Outbox:
    """The outbox of a database, as the threads see it that empty it.

    Several processes may empty one outbox: a message is claimed for a while, and nobody else
    sends it until then.

    Args:
        database: Where it is.
        worker: The name of this process among those that share the database.
        clock: The clocks.
    """

    def __init__(self, database: Database, worker: str, clock: Clock) -> None:
        self.database = database
        self.worker = worker
        self.clock = clock

    def claim(self, sink: str, for_s: float) -> Parcel | None:
        """Claim the oldest message to a sink that is due, for some seconds.

        A message waits for the earlier ones about the same alert.
        """
        now_s = self.clock.wall()
        earlier = aliased(OutboxRow)
        claimed = OutboxRow.claimed_until_s
        # A time further off than any wait was set by a clock that has since been put back.
        free = claimed.is_(None) | (claimed <= now_s) | (claimed > now_s + LONGEST_WAIT_S)
        due = (OutboxRow.due_s <= now_s) | (OutboxRow.due_s > now_s + LONGEST_WAIT_S)
        overtakes = exists().where(
            earlier.sink == sink,
            earlier.alert_id == OutboxRow.alert_id,
            earlier.state == "waiting",
            earlier.number < OutboxRow.number,
        )
        wanted = (
            select(OutboxRow)
            .where(OutboxRow.sink == sink, OutboxRow.state == "waiting", free, due, ~overtakes)
            .order_by(OutboxRow.number)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self.database.reading() as session:
            if session.scalar(wanted.with_only_columns(OutboxRow.number)) is None:
                return None  # the common case, and it takes no lock
        with self.database.writing() as session:
            row = session.scalar(wanted)
            if row is None:
                return None
            row.claimed_by, row.claimed_until_s = self.worker, now_s + for_s
            return Parcel(row.number, Message(**row.message), row.created_s, row.attempts)

    def delivered(self, parcel: Parcel) -> None:
        """Note that the sink has taken a message."""
        self._settle(parcel, "delivered", None)

    def bury(self, parcel: Parcel, reason: str) -> None:
        """Make a message a dead letter: it is kept, and not sent again by itself."""
        self._settle(parcel, "dead", reason)

    def postpone(self, parcel: Parcel, wait_s: float, reason: str) -> None:
        """Note that a message was not delivered, and when it is tried again."""
        self._change(
            parcel,
            due_s=self.clock.wall() + min(wait_s, LONGEST_WAIT_S),
            attempts=parcel.attempts + 1,
            error=reason,
        )

    def revive(self, numbers: Sequence[int] | None = None) -> int:
        """Send dead letters again, as if they were new; return how many.

        Args:
            numbers: Which; all if not given.
        """
        now_s = self.clock.wall()
        dead = update(OutboxRow).where(OutboxRow.state == "dead")
        if numbers is not None:
            dead = dead.where(OutboxRow.number.in_(numbers))
        with self.database.writing() as session:
            ids = session.scalars(
                dead.values(
                    state="waiting", due_s=now_s, created_s=now_s, settled_s=None, attempts=0
                ).returning(OutboxRow.number)
            )
            return len(ids.all())

    def expire(self, max_age_s: float) -> int:
        """Make dead letters of what is too old and nobody sends, such as to sinks no longer there.

        Returns:
            How many.
        """
        now_s = self.clock.wall()
        old = update(OutboxRow).where(
            OutboxRow.state == "waiting",
            OutboxRow.created_s < now_s - max_age_s,
            OutboxRow.claimed_until_s.is_(None) | (OutboxRow.claimed_until_s <= now_s),
        )
        with self.database.writing() as session:
            gone = session.scalars(
                old.values(state="dead", settled_s=now_s, error="it is too old").returning(
                    OutboxRow.number
                )
            )
            return len(gone.all())

    def dead(self, most: int = 100) -> list[dict[str, Any]]:
        """Return the newest dead letters as plain data."""
        wanted = (
            select(OutboxRow)
            .where(OutboxRow.state == "dead")
            .order_by(OutboxRow.number.desc())
            .limit(most)
        )
        with self.database.reading() as session:
            return [
                {
                    "number": row.number,
                    "key": row.key,
                    "sink": row.sink,
                    "alert": row.alert_id,
                    "subject": row.message["subject"],
                    "created_at": timestamp(row.created_s),
                    "attempts": row.attempts,
                    "reason": row.error,
                }
                for row in session.scalars(wanted)
            ]

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return how many messages are in each state, by sink."""
        wanted = select(OutboxRow.sink, OutboxRow.state, func.count()).group_by(
            OutboxRow.sink, OutboxRow.state
        )
        counts: dict[str, dict[str, int]] = {}
        with self.database.reading() as session:
            for sink, state, number in session.execute(wanted):
                counts.setdefault(sink, {})[state] = number
        return counts

    def _settle(self, parcel: Parcel, state: str, reason: str | None) -> None:
        self._change(
            parcel,
            state=state,
            settled_s=self.clock.wall(),
            attempts=parcel.attempts + 1,
            error=reason,
        )

    def _change(self, parcel: Parcel, **values: Any) -> None:
        with self.database.writing() as session:
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.number == parcel.number)
                .values(claimed_by=None, claimed_until_s=None, **values)
            )
