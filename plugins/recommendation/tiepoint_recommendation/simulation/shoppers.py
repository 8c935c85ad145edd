"""Shoppers: what each one likes, which nobody is told, and how that turns into clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.simulation.catalogue import COLOURS, KINDS, PATTERNS, SimulatedItem

_KIND, _COLOUR, _PATTERN, _PRICE, _FAME = 3.0, 2.0, 1.0, 0.8, 0.5
_CLICK_AT = 4.0
"""The liking at which a shown thing is clicked half the time."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """One shopper's hidden tastes.

    Attributes:
        id: The user's id, such as `u0007`.
        kinds: (kinds,) from 0 to 1; the best-liked has 1.
        colours: (colours,) alike.
        patterns: (patterns,) alike.
        thrift: How much a high price puts off, from 0.
        visits_per_day: How often the shopper comes.
    """

    id: str
    kinds: NDArray[np.float64]
    colours: NDArray[np.float64]
    patterns: NDArray[np.float64]
    thrift: float
    visits_per_day: float

    @property
    def favourite_kind(self) -> str:
        """The kind of thing that the shopper likes best."""
        return list(KINDS)[int(self.kinds.argmax())]

    @property
    def favourite_colour(self) -> str:
        """The colour that the shopper likes best."""
        return list(COLOURS)[int(self.colours.argmax())]


def make_shoppers(count: int, rng: np.random.Generator) -> list[Shopper]:
    """Return shoppers with tastes drawn at random: each likes a few kinds and colours.

    A third of them come rarely, so that there are light users and new ones.

    Args:
        count: How many.
        rng: Where chance comes from.
    """
    return [
        Shopper(
            id=f"u{number:04d}",
            kinds=_taste(len(KINDS), 0.25, rng),
            colours=_taste(len(COLOURS), 0.35, rng),
            patterns=_taste(len(PATTERNS), 0.5, rng),
            thrift=float(rng.gamma(2.0, 0.25)),
            visits_per_day=float(rng.choice([0.03, 0.1, 0.25])),
        )
        for number in range(count)
    ]


def liking(shopper: Shopper, items: Sequence[SimulatedItem]) -> NDArray[np.float64]:
    """Return (items,) how much a shopper likes each thing; about 0 to 7."""
    kinds, colours, patterns = list(KINDS), list(COLOURS), list(PATTERNS)
    kind = shopper.kinds[[kinds.index(item.kind) for item in items]]
    colour = shopper.colours[[colours.index(item.colour) for item in items]]
    pattern = shopper.patterns[[patterns.index(item.pattern) for item in items]]
    price = np.log10([item.price for item in items])
    fame = np.array([item.fame for item in items])
    return np.asarray(
        _KIND * kind
        + _COLOUR * colour
        + _PATTERN * pattern
        - _PRICE * shopper.thrift * price
        + _FAME * fame
    )


def click_probability(likings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how likely each thing is to be clicked when it is shown.

    >>> click_probability(np.array([4.0])).tolist()
    [0.5]
    """
    return np.asarray(1.0 / (1.0 + np.exp(_CLICK_AT - likings)))


def _taste(size: int, concentration: float, rng: np.random.Generator) -> NDArray[np.float64]:
    drawn = rng.dirichlet(np.full(size, concentration))
    return np.asarray(drawn / drawn.max())
