"""Who asks: the latest events of a user and of a session, read from the shared database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiepoint_recommendation.histories import History
from tiepoint_recommendation.interactions import recent_history
from tiepoint_recommendation.live.asks import Ask
from tiepoint_recommendation.live.settings import LiveSettings
from tiepoint_recommendation.live.shelf import Mask, Shelf
from tiepoint_recommendation.settings import EventSettings
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.types import Event

_BOUGHT = frozenset({"purchase", "buy", "order"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of who asks.

    Attributes:
        events: The latest ones, in any order.
        history: The same in the model's numbers.
    """

    events: tuple[Event, ...]
    history: History

    @property
    def known(self) -> bool:
        """Whether the model can tell anything from it."""
        return len(self.history) > 0


class Profiles:
    """Makes profiles from events; nothing is kept, so all processes that share them agree.

    Args:
        events: The shared events.
        live: How many events make a profile.
        counting: What events count.
    """

    def __init__(self, events: EventStore, live: LiveSettings, counting: EventSettings) -> None:
        self.events = events
        self.live = live
        self.counting = counting

    def of(self, ask: Ask, shelf: Shelf, now_s: float) -> Profile:
        """Return the profile of who asks."""
        most = self.live.recent_events
        found: list[Event] = []
        if ask.user is not None:
            found = self.events.recent(ask.user, most)
        if ask.session is not None:
            known = {(one.item, one.kind, one.time_s) for one in found}
            found += [
                one
                for one in self.events.recent_of_session(ask.session, most)
                if (one.item, one.kind, one.time_s) not in known
            ]
        latest = max((one.time_s for one in found), default=now_s)
        begin_s = max(now_s, latest)
        found += [
            Event("", item, "view", begin_s + place) for place, item in enumerate(ask.items, 1)
        ]
        history = recent_history(found, shelf.model.number_of, self.counting)
        return Profile(tuple(found), history)

    def fresh(self, profile: Profile, shelf: Shelf) -> Mask:
        """Return (n,) which items are not left out because of what was done with them."""
        mask = np.ones(len(shelf), np.bool_)
        history = profile.history
        if self.live.leave_out == "seen":
            mask[history.items] = False
            return mask
        mask[history.items[history.strengths < 0]] = False
        if self.live.leave_out == "bought":
            bought: Sequence[str] = [
                one.item for one in profile.events if one.kind.casefold() in _BOUGHT
            ]
            mask &= ~shelf.mask_of(bought)
        return mask
