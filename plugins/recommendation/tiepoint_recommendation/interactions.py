"""From events to histories: coded, cleaned of bursts and robots, weighted, and put in order."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.histories import Histories, History
from tiepoint_recommendation.settings import EventSettings
from tiepoint_recommendation.types import Event


@dataclass(frozen=True, slots=True)
class EventLog:
    """n events in numbers, by user, then time; of equal times, by a fixed scramble of the ids.

    The scramble (see `_scrambled`) depends on nothing but the two ids, so the order of equal
    times tells neither what came after nor how a file was sorted.

    Attributes:
        users: Ids of the users; the position is the user's number.
        items: Ids of the items.
        user: (n,) int32, not falling.
        item: (n,) int32.
        time_s: (n,) float64, seconds since 1970.
        strength: (n,) float32, what the kind of event counts; below 0 for rejections.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    time_s: NDArray[np.float64]
    strength: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.user)

    def where(self, kept: NDArray[np.bool_]) -> Self:
        """Return the events that a (n,) mask is true for; users and items keep their numbers."""
        return replace(
            self,
            user=self.user[kept],
            item=self.item[kept],
            time_s=self.time_s[kept],
            strength=self.strength[kept],
        )

    def compact(self) -> EventLog:
        """Return the same events without the users and items that none is of."""
        users, user = np.unique(self.user, return_inverse=True)
        items, item = np.unique(self.item, return_inverse=True)
        return replace(
            self,
            users=tuple(self.users[number] for number in users.tolist()),
            items=tuple(self.items[number] for number in items.tolist()),
            user=user.astype(np.int32),
            item=item.astype(np.int32),
        )

    def histories(self, now_s: float | NDArray[np.float64], cap: float) -> Histories:
        """Return each user's history: every item once, at its last event.

        Args:
            now_s: When the users ask: one time, or (n_users,).
            cap: The most that repeated events with one item may count together.
        """
        n_items = max(len(self.items), 1)
        pair = self.user.astype(np.int64) * n_items + self.item
        order = np.argsort(pair, kind="stable")
        ordered = pair[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
        last = np.r_[first[1:], len(ordered)][: len(first)] - 1
        sums = np.add.reduceat(self.strength[order], first) if len(first) else self.strength[:0]
        latest = self.strength[order[last]]
        # The last word counts: a rejection undoes what was done before, and the other way round.
        strengths = np.where(latest < 0, latest, np.clip(sums, np.maximum(latest, 0), cap))
        entries = np.sort(order[last])  # events are in order of user and time
        rank = np.argsort(order[last], kind="stable")
        counts = np.bincount(self.user[entries], minlength=len(self.users))
        return Histories(
            np.r_[0, np.cumsum(counts)].astype(np.int64),
            self.item[entries],
            strengths[rank].astype(np.float32),
            self.time_s[entries],
            np.broadcast_to(np.asarray(now_s, np.float64), (len(self.users),)),
        )


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What was left out of the events, and why.

    Attributes:
        repeats: Events like one of the same user, item and kind shortly before.
        robots: Users that do more in an hour than people can.
        robot_events: Their events.
        ignored: Events of a kind that counts nothing.
    """

    repeats: int
    robots: tuple[str, ...]
    robot_events: int
    ignored: int


def event_log(
    rows: Iterable[tuple[str, str, str, float, Any]], settings: EventSettings
) -> tuple[EventLog, Cleaning]:
    """Code, clean and order events.

    Args:
        rows: User, item, kind, time in seconds, and value of each event, in any order.
        settings: What each kind counts, and what people can do.
    """
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    kinds: dict[str, int] = {}
    coded = [
        (
            users.setdefault(user, len(users)),
            items.setdefault(item, len(items)),
            kinds.setdefault(kind, len(kinds)),
            time_s,
        )
        for user, item, kind, time_s, _ in rows
    ]
    table = np.array(coded, np.float64).reshape(-1, 4)
    user, item, kind = (table[:, column].astype(np.int32) for column in range(3))
    time_s = table[:, 3]
    tie = _scrambled(list(users), list(items), user, item)
    order = np.lexsort((kind, tie, time_s, user))
    user, item, kind, time_s = user[order], item[order], kind[order], time_s[order]
    weight_of = np.array([settings.weight(name) for name in kinds], np.float32)
    strength = weight_of[kind] if len(kind) else np.zeros(0, np.float32)
    log = EventLog(tuple(users), tuple(items), user, item, time_s, strength)

    robots = _robots(log, settings.robot_events_per_hour)
    of_robots = np.isin(user, robots)
    repeats = _repeats(log, kind, settings.repeat_s) & ~of_robots
    ignored = (strength == 0) & ~of_robots & ~repeats
    cleaning = Cleaning(
        int(repeats.sum()),
        tuple(log.users[number] for number in robots),
        int(of_robots.sum()),
        int(ignored.sum()),
    )
    return log.where(~(of_robots | repeats | ignored)).compact(), cleaning


def recent_history(
    events: Sequence[Event], number_of: Mapping[str, int], settings: EventSettings
) -> History:
    """Return one user's history from the latest events, in whatever order they are.

    The same as by `event_log`, without its arrays: this is on the way of every answer.

    Args:
        events: Of one person, whatever the users' ids say.
        number_of: The number of each item of the model; events with others are left out.
        settings: What each kind of event counts.
    """
    known = [one for one in events if one.item in number_of]
    if not known or _is_robot(known, settings.robot_events_per_hour):
        return History.empty()
    known.sort(key=lambda one: one.time_s)
    if any(one.time_s == other.time_s for one, other in pairwise(known)):
        user = known[0].user
        known.sort(key=lambda one: (one.time_s, _scramble(user, one.item)))
    before: dict[tuple[str, str], float] = {}
    sums: dict[str, float] = {}
    latest: dict[str, tuple[float, float]] = {}
    weights = {kind: settings.weight(kind) for kind in {one.kind for one in known}}
    repeat_s = settings.repeat_s
    for one in known:
        item, kind, time_s = one.item, one.kind, one.time_s
        key = item, kind
        repeated = time_s - before.get(key, -math.inf) <= repeat_s
        before[key] = time_s
        strength = weights[kind]
        if repeated or strength == 0:
            continue
        sums[item] = sums.get(item, 0.0) + strength
        latest.pop(item, None)  # so that the order is that of the last events
        latest[item] = strength, time_s
    strengths = [
        last if last < 0 else min(max(sums[item], last), settings.most_strength)
        for item, (last, _) in latest.items()
    ]
    return History(
        np.array([number_of[item] for item in latest], np.int32),
        np.array(strengths, np.float32),
        np.array([time_s for _, time_s in latest.values()], np.float64),
    )


def _is_robot(events: Sequence[Event], per_hour: int) -> bool:
    """Whether there are more events than that within some hour."""
    if len(events) <= per_hour:
        return False
    times = sorted(one.time_s for one in events)
    return any(late - early < 3600 for early, late in zip(times, times[per_hour:], strict=False))


def _scramble(user: str, item: str) -> int:
    one = np.zeros(1, np.int32)
    return int(_scrambled([user], [item], one, one)[0])


def _robots(log: EventLog, per_hour: int) -> NDArray[np.intp]:
    """Return the numbers of users with more events than that within some hour."""
    later = per_hour
    if len(log) <= later:
        return np.zeros(0, np.intp)
    same = log.user[later:] == log.user[:-later]
    quick = log.time_s[later:] - log.time_s[:-later] < 3600
    return np.unique(log.user[later:][same & quick]).astype(np.intp)


def _repeats(log: EventLog, kind: NDArray[np.int32], within_s: float) -> NDArray[np.bool_]:
    """Return which events repeat one of the same user, item and kind within so many seconds."""
    order = np.lexsort((log.time_s, kind, log.item, log.user))
    same = np.zeros(len(log), bool)
    keys = (log.user[order], log.item[order], kind[order])
    equal = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    same[order[1:]] = equal & (np.diff(log.time_s[order]) <= within_s)
    return same


def _scrambled(
    users: Sequence[str], items: Sequence[str], user: NDArray[np.int32], item: NDArray[np.int32]
) -> NDArray[np.uint64]:
    """Return (n,) uint64: numbers from the ids of user and item alone, which say nothing else.

    The finaliser of SplitMix64 (Steele, Lea and Flood, 2014) over the CRC-32 of both ids.
    """
    of_users = np.array([_crc(id_) for id_ in users], np.uint64)
    of_items = np.array([_crc(id_) for id_ in items], np.uint64)
    if not len(user):
        return np.zeros(0, np.uint64)
    mixed = (of_users[user] << np.uint64(32)) | of_items[item]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _crc(id_: str) -> int:
    return zlib.crc32(id_.encode("utf-8", "surrogatepass"))
