"""The contract of fusion: what several routes found, into one ranking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.encoders.base import Vectors
from tiepoint.types import Contribution

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""How much a route counts; the limits are checked where a deployment file is read."""


@dataclass(frozen=True, slots=True)
class RouteScores:
    """One route's view of the candidates of all routes.

    Attributes:
        route: The route's name, such as `text->image`.
        scores: (n,) float32 similarities of the n candidates, NaN where the item has no such
            part (or, for words, no match).
        mean: The usual similarity of this query to an item that has nothing to do with it.
        scale: The spread that the similarity is measured in; positive.
        query: (d,) float32 unit vector that the route asked by; None for words.
        stored: Gives the (m, d) float32 vectors of some candidates by position, NaN where an
            item has none; None for words.
    """

    route: str
    scores: Vectors
    mean: float
    scale: float
    query: Vectors | None = None
    stored: Callable[[Sequence[int]], Vectors] | None = None

    @property
    def standardised(self) -> Vectors:
        """(n,) how many spreads each candidate stands above the query's background."""
        return np.asarray((self.scores - self.mean) / self.scale)


class Fusion(ABC):
    """Combines routes; constructed with its options, holding no state of a query.

    Attributes:
        takes_single_routes: Whether a query that a single route answers is fused, too;
            otherwise its hits' scores are the route's similarities.
    """

    takes_single_routes: bool = False

    @abstractmethod
    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        """Return each candidate's contributions, in the routes' order.

        A candidate's score is the sum of its contributions' values. A route that says nothing
        of a candidate (NaN) contributes none. What is no route's (a re-ranking) comes last,
        under a name of its own.
        """

    def named_routes(self) -> list[str]:
        """Return the routes that the options name; one that cannot exist is refused."""
        return []

    def fitted_routes(self) -> Mapping[str, str]:
        """Return the fingerprints of the routes that it was fitted for; others are refused."""
        return {}

    def probabilities(self, scores: NDArray[np.float64], size: int) -> NDArray[np.float64] | None:
        """Return the calibrated probability of each candidate; None if that is not known.

        Args:
            scores: (n,) the candidates' fused scores.
            size: How many items the collection has.
        """
        return None
