"""What was shown to whom, how likely that was, and whether it was clicked."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, text
from sqlalchemy.engine import Connection

from tiepoint.errors import StoreError
from tiepoint_adapters.background import Background
from tiepoint_recommendation.live.tables import impressions
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.forgotten import Forgotten, Name

log = logging.getLogger(__name__)

_CLICKED = text(
    "UPDATE impressions SET clicked_s = :time_s WHERE clicked_s IS NULL AND number ="
    ' (SELECT max(number) FROM impressions WHERE "user" = :user AND item = :item'
    " AND shown_s <= :until_s AND shown_s >= :since_s)"
)
# As text, since an answer may be waiting for the interpreter meanwhile.
_ADD = text(
    'INSERT INTO impressions (request, "user", item, place, experiment, arm, policy, propensity,'
    " candidates, best, score, shown_s) VALUES (:request, :user, :item, :place, :experiment, :arm,"
    " :policy, :propensity, :candidates, :best, :score, :shown_s)"
)
_CHUNK = 2000
_NEVER = float("-inf")
_MOST_WAITING = 100_000
_WRITE_EVERY_S = 0.5
_CLOCKS_S = 5.0
"""How far the clock of who tells of a click may be behind ours."""


class Impression(NamedTuple):
    """One item of one answer.

    Attributes:
        request: The answer's id.
        user: To whom it was shown: a user's id, or that of a session.
        item: What.
        place: Where, from 1.
        experiment: The experiment that ran; empty if there was none.
        arm: The user's arm.
        policy: `none`, `epsilon` or `thompson`: what chose the item of this place.
        propensity: How likely that choice was.
        candidates: Among how many items; 1 where nothing was explored.
        best: Whether it was the first of them.
        score: Its score.
        shown_s: When, in seconds since 1970.
    """

    request: str
    user: str
    item: str
    place: int
    experiment: str
    arm: str
    policy: str
    propensity: float
    candidates: int
    best: bool
    score: float
    shown_s: float


class _Click(NamedTuple):
    user: str
    item: str
    time_s: float
    since_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Explored:
    """What explored places have shown; arrays over n impressions.

    Attributes:
        propensity: (n,) how likely each choice was.
        candidates: (n,) among how many items it was made.
        best: (n,) whether it was the first of them.
        clicked: (n,) whether it was clicked.
    """

    propensity: NDArray[np.float64]
    candidates: NDArray[np.int64]
    best: NDArray[np.bool_]
    clicked: NDArray[np.bool_]


class ImpressionStore:
    """The impressions of a database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.forgotten = Forgotten()

    def add(self, batch: Sequence[Impression]) -> None:
        """Keep impressions, but for those of who has asked to be forgotten since.

        Raises:
            StoreError: The database refused; none was kept.
        """
        if batch:
            with self.database.writing() as session:
                self.add_within(session.connection(), batch)

    def add_within(self, connection: Connection, batch: Sequence[Impression]) -> None:
        """Do what `add` does, within a transaction."""
        until = self._forgotten_until(connection, {one.user for one in batch})
        kept = [one for one in batch if one.shown_s > until.get(one.user, _NEVER)]
        if kept:
            self.database.run_many(connection, _ADD, kept)

    def click_within(
        self, connection: Connection, clicks: Sequence[tuple[str, str, float]], within_s: float
    ) -> None:
        """Note clicks on what was shown last before them.

        Args:
            connection: Within whose transaction.
            clicks: User (or session), item and time of each one.
            within_s: How long after it was shown a click still counts.
        """
        if clicks:
            rows = [
                _Click(user, item, time_s, time_s - within_s, time_s + _CLOCKS_S)
                for user, item, time_s in clicks
            ]
            self.database.run_many(connection, _CLICKED, rows)

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return by item how often it was shown, and clicked then."""
        shown, clicked = func.count(), func.count(impressions.c.clicked_s)
        wanted = select(impressions.c.item, shown, clicked).group_by(impressions.c.item)
        with self.database.reading() as session:
            return {item: (all_, some) for item, all_, some in session.execute(wanted)}

    def by_arm(self, experiment: str) -> dict[str, NDArray[np.int64]]:
        """Return (users, 2) shown and clicked items of each user of an experiment, by arm."""
        columns = impressions.c
        wanted = (
            select(columns.arm, columns.user, func.count(), func.count(columns.clicked_s))
            .where(columns.experiment == experiment)
            .group_by(columns.arm, columns.user)
        )
        found: dict[str, list[tuple[int, int]]] = {}
        with self.database.reading() as session:
            for arm, _, shown, clicked in session.execute(wanted):
                found.setdefault(arm, []).append((shown, clicked))
        return {arm: np.array(users, np.int64) for arm, users in found.items()}

    def explored(self) -> Explored:
        """Return all impressions of places that explored."""
        columns = impressions.c
        wanted = select(
            columns.propensity, columns.candidates, columns.best, columns.clicked_s
        ).where(columns.policy != "none")
        with self.database.reading() as session:
            rows = [tuple(row) for row in session.execute(wanted)]
        return Explored(
            np.array([row[0] for row in rows], np.float64),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.bool_),
            np.array([row[3] is not None for row in rows], np.bool_),
        )

    def remove(self, connection: Connection, shown_to: Sequence[str]) -> int:
        """Remove what was shown to users or sessions; returns how many rows there were."""
        return sum(
            connection.execute(delete(impressions).where(impressions.c.user == one)).rowcount
            for one in shown_to
        )

    def count_of(self, shown_to: Collection[str]) -> int:
        """Return how many impressions of these users and sessions there are."""
        counted = select(func.count()).select_from(impressions)
        with self.database.reading() as session:
            return sum(
                int(session.scalar(counted.where(impressions.c.user == one)) or 0)
                for one in shown_to
            )

    def count_of_forgotten(self) -> int:
        """Return how many impressions there are of any who had asked to be forgotten by then."""
        user, shown_s = impressions.c.user, impressions.c.shown_s
        earliest = select(user, func.min(shown_s)).group_by(user)
        with self.database.reading() as session:
            connection = session.connection()
            first_s: dict[str, float] = {row[0]: row[1] for row in connection.execute(earliest)}
            until = self._forgotten_until(connection, first_s)
            return sum(
                connection.execute(
                    select(func.count())
                    .select_from(impressions)
                    .where(user == one, shown_s <= until_s)
                ).scalar_one()
                for one, until_s in until.items()
                if first_s[one] <= until_s
            )

    def _forgotten_until(
        self, connection: Connection, shown_to: Collection[str]
    ) -> dict[str, float]:
        """Return until when nothing is kept of what was shown to each, as user or as session."""
        names = [Name(one, session) for one in shown_to for session in (False, True)]
        found: dict[str, float] = {}
        for name, time_s in self.forgotten.until(connection, names).items():
            found[name.id] = max(time_s, found.get(name.id, _NEVER))
        return found


class ImpressionLog:
    """Writes impressions behind the answers' backs, so that no answer waits for a disk.

    What was shown within the last half second is lost where the process is killed; events
    never are, as they do not go this way.

    Args:
        store: Where they go.
    """

    def __init__(self, store: ImpressionStore) -> None:
        self.store = store
        self.dropped = 0
        self._waiting: deque[Impression] = deque()
        self._writing = threading.Lock()
        self._background = Background("tiepoint-impressions", self._run)

    def start(self) -> None:
        """Begin to write."""
        self._background.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._background.stop()
        self._try()

    def add(self, batch: Sequence[Impression]) -> None:
        """Take impressions to write; where too many wait, as with a lost database, drop them."""
        if len(self._waiting) + len(batch) > _MOST_WAITING:
            self.dropped += len(batch)
            return
        self._waiting.extend(batch)

    def flush(self) -> None:
        """Write what waits.

        Raises:
            StoreError: The database refused; it waits on.
        """
        while self._waiting:
            with self.waiting() as batch:
                self.store.add(batch)

    @contextmanager
    def waiting(self) -> Iterator[list[Impression]]:
        """Give some of what waits, all but where that is much, to be written by the block.

        Where the block fails it waits on.
        """
        with self._writing:
            count = min(len(self._waiting), _CHUNK)
            batch = [self._waiting.popleft() for _ in range(count)]
            try:
                yield batch
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise

    def health(self) -> dict[str, Any]:
        """Return how many impressions wait, and how many were dropped."""
        return {"waiting": len(self._waiting), "dropped": self.dropped}

    def _run(self) -> None:
        while not self._background.ended.wait(_WRITE_EVERY_S):
            self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except StoreError as error:
            log.warning("impressions wait: %s", error)
