"""Visits: what shoppers look at one after the other, and what they do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.simulation.catalogue import KINDS, SimulatedItem
from tiepoint_recommendation.simulation.shoppers import Shopper, click_probability, liking

_SHELF = 40
"""How many things a visitor comes across."""

_SAME_KIND, _GOES_WITH = 1.5, 2.0
"""How much more is liked what is of the kind looked at last, or goes with it."""


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """What one shopper did with one thing.

    Attributes:
        user: The shopper's id.
        item: The thing's id.
        event: `view`, `click`, `comment`, `share`, `cart`, `purchase` or `hide`.
        timestamp: Seconds since 1970.
        session: The visit's id.
    """

    user: str
    item: str
    event: str
    timestamp: float
    session: str


def visits_of(
    shopper: Shopper,
    items: Sequence[SimulatedItem],
    start_s: float,
    days: float,
    rng: np.random.Generator,
) -> Iterator[SimulatedEvent]:
    """Yield what a shopper does, in the order of time.

    At a visit the shopper comes across some of the things that there are, and looks at the
    best liked of them first; after each one, things of its kind and those that go with it
    draw more. What is liked is clicked, and then commented on, shared, or bought.

    Args:
        shopper: Who.
        items: The catalogue.
        start_s: When the days begin, in seconds since 1970.
        days: How many there are.
        rng: Where chance comes from.
    """
    likings = liking(shopper, items)
    clicks = click_probability(likings)
    kinds = np.array([item.kind for item in items])
    added = np.array([item.added_s for item in items])
    count = rng.poisson(shopper.visits_per_day * days)
    for visit, day in enumerate(np.sort(rng.uniform(0, days, count))):
        now = start_s + day * 86_400
        there = np.flatnonzero(added <= now)
        shelf = rng.choice(there, min(_SHELF, len(there)), replace=False)
        session = f"{shopper.id}-{visit}"
        for position in _looked_at(shelf, likings, kinds, rng):
            for event in _reaction(float(clicks[position]), rng):
                now += float(rng.exponential(25)) + 1
                yield SimulatedEvent(shopper.id, items[position].id, event, round(now, 3), session)


def _looked_at(
    shelf: NDArray[np.int64],
    likings: NDArray[np.float64],
    kinds: NDArray[np.str_],
    rng: np.random.Generator,
) -> Iterator[int]:
    left = likings[shelf] + rng.gumbel(size=len(shelf))
    draws = left.copy()
    for _ in range(min(1 + rng.poisson(4), len(shelf))):
        best = int(draws.argmax())
        yield int(shelf[best])
        left[best] = -np.inf
        kind = str(kinds[shelf[best]])
        shown = kinds[shelf]
        draws = left + _SAME_KIND * (shown == kind) + _GOES_WITH * (shown == KINDS[kind])


def _reaction(click: float, rng: np.random.Generator) -> Iterator[str]:
    yield "view"
    if rng.random() >= click:
        if rng.random() < 0.1 * (1 - click):
            yield "hide"
        return
    yield "click"
    for event, share in (("comment", 0.06), ("share", 0.08)):
        if rng.random() < share:
            yield event
    if rng.random() < 0.35 * click:
        yield "cart"
        if rng.random() < 0.6:
            yield "purchase"
