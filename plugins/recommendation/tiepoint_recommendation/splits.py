"""Who is asked what: leave-last-out, a global time, and items that nobody has met."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.histories import Histories, History
from tiepoint_recommendation.interactions import EventLog

PROTOCOLS = ("leave-last", "time", "strict-cold")
TIME_SHARE = 0.8
"""The global time is that before which this share of the events happened."""
MOST_QUERIES = 10
"""Under a global time split, so many of a user's last new items are asked for."""
COLD_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """What a model may be fitted on, and what it is asked.

    Attributes:
        train: The events that may be used; users and items keep their numbers.
        asked: The q histories that are asked for, each with all that its user did before.
        users: (q,) the number of each query's user.
        wanted: For each query, the numbers of the items that are relevant.
        gallery: (n_items,) bool, the items that are ranked.
        note: What was split how, in one line.
    """

    train: EventLog
    asked: Histories
    users: NDArray[np.int64]
    wanted: list[NDArray[np.int64]]
    gallery: NDArray[np.bool_]
    note: str


def leave_last(log: EventLog, cap: float) -> Split:
    """Ask for the item that each user liked last, of those not met before.

    What the user did from then on, with whatever item, is not in the history and not trained
    on. Users who liked only one item are not asked. Of equal times, see `EventLog`.

    Args:
        log: All events.
        cap: The most that repeated events with one item count together.
    """
    first = first_liked(log)
    places = np.flatnonzero(first)
    users = log.user[places]
    begins = np.r_[True, users[1:] != users[:-1]] if len(users) else np.zeros(0, bool)
    ends = np.r_[begins[1:], True] if len(users) else begins
    last = places[ends & ~begins]
    keep = np.ones(len(log), bool)
    stops = _user_stops(log)
    for place in last:
        keep[place : stops[log.user[place]]] = False
    train = log.where(keep)
    histories = train.histories(_now(log), cap)
    asked_users = log.user[last].astype(np.int64)
    times = log.time_s[last]
    asked = Histories.of([histories[user] for user in asked_users], times)
    wanted = [np.array([item], np.int64) for item in log.item[last]]
    gallery = np.ones(len(log.items), bool)
    note = f"the last new item of {len(last)} users"
    return Split(train, asked, asked_users, wanted, gallery, note)


def time_split(
    log: EventLog, cap: float, share: float = TIME_SHARE, most: int = MOST_QUERIES
) -> Split:
    """Train on what was before a time, and ask for each new item that users liked after it.

    A query's history is all that its user did before, also after the time of the split: as it
    is live, where histories are followed and models are not fitted again. Of each user, the
    last queries are asked.

    Args:
        log: All events.
        cap: As in `leave_last`.
        share: Of the events, how many are before the time.
        most: Queries of one user, at most.
    """
    moment = float(np.quantile(log.time_s, share)) if len(log) else 0.0
    train = log.where(log.time_s < moment)
    places = np.flatnonzero(first_liked(log) & (log.time_s >= moment))
    starts = _user_starts(log)
    chosen: list[int] = []
    for user in np.unique(log.user[places]):
        own = places[log.user[places] == user]
        chosen += own[own > starts[user]][-most:].tolist()
    asked = [_history(log, starts[log.user[place]], place, cap) for place in chosen]
    picked = np.array(chosen, np.int64)
    users = log.user[picked].astype(np.int64)
    wanted = [np.array([log.item[place]], np.int64) for place in chosen]
    gallery = np.ones(len(log.items), bool)
    note = (
        f"fitted on the {len(train)} events before {moment:.0f} s; {len(chosen)} new items after"
        f" it, of {len(np.unique(users))} users"
    )
    return Split(train, Histories.of(asked, log.time_s[picked]), users, wanted, gallery, note)


def strict_cold(log: EventLog, cap: float, seed: int, share: float = COLD_SHARE) -> Split:
    """Take all events of some items away, and rank only these for those who liked some of them.

    Args:
        log: All events.
        cap: As in `leave_last`.
        seed: Draws the items.
        share: Of the items, how many are taken away.
    """
    n_items = len(log.items)
    drawn = np.random.default_rng(seed).permutation(n_items)
    cold = np.zeros(n_items, bool)
    cold[drawn[: round(share * n_items)]] = True
    train = log.where(~cold[log.item])
    liked = log.where(cold[log.item] & first_liked(log))
    histories = train.histories(_now(log), cap)
    users = np.unique(liked.user)
    some = np.asarray(users[histories.lengths[users] > 0], np.int64)
    asked = Histories.of([histories[user] for user in some], _now(log))
    wanted = [np.unique(liked.item[liked.user == user]).astype(np.int64) for user in some]
    note = f"{int(cold.sum())} items without any event, {len(some)} users, seed {seed}"
    return Split(train, asked, some, wanted, cold, note)


def split_of(log: EventLog, protocol: str, cap: float, seed: int = 0) -> Split:
    """Return the split of a protocol, one of `PROTOCOLS`.

    Args:
        log: The events that may be used.
        protocol: Which.
        cap: As in `leave_last`.
        seed: Of `strict-cold`.
    """
    if protocol == "leave-last":
        return leave_last(log, cap)
    if protocol == "time":
        return time_split(log, cap)
    return strict_cold(log, cap, seed)


def sampled(split: Split, most: int, seed: int) -> Split:
    """Return a split with at most so many of its queries, drawn by chance."""
    if len(split.asked) <= most:
        return split
    drawn = np.sort(np.random.default_rng(seed).choice(len(split.asked), most, replace=False))
    asked = Histories.of([split.asked[query] for query in drawn], split.asked.now_s[drawn])
    wanted = [split.wanted[query] for query in drawn]
    return replace(split, asked=asked, users=split.users[drawn], wanted=wanted)


def first_liked(log: EventLog) -> NDArray[np.bool_]:
    """Return (n,) bool: whether each event is a user's first with its item, and a liking."""
    pair = log.user.astype(np.int64) * max(len(log.items), 1) + log.item
    _, firsts = np.unique(pair, return_index=True)
    first = np.zeros(len(log), bool)
    first[firsts] = True
    return first & (log.strength > 0)


def _history(log: EventLog, start: int, stop: int, cap: float) -> History:
    """Return the history of the one user whose events are at start:stop."""
    part = np.zeros(len(log), bool)
    part[start:stop] = True
    own = log.where(part)
    user = int(own.user[0])
    return own.histories(_now(own), cap)[user]


def _user_starts(log: EventLog) -> NDArray[np.int64]:
    return np.searchsorted(log.user, np.arange(len(log.users)), side="left")


def _user_stops(log: EventLog) -> NDArray[np.int64]:
    return np.searchsorted(log.user, np.arange(len(log.users)), side="right")


def _now(log: EventLog) -> float:
    return float(log.time_s.max()) if len(log) else 0.0
