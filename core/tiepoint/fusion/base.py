"""The contract of fusion: what several routes found, into one ranking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

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
    """

    route: str
    scores: Vectors
    mean: float
    scale: float


class Fusion(ABC):
    """Combines routes; constructed with its options, holding no state of a query."""

    @abstractmethod
    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        """Return each candidate's contributions, in the routes' order.

        A candidate's score is the sum of its contributions' values. A route that says nothing
        of a candidate (NaN) contributes none.
        """

    def named_routes(self) -> list[str]:
        """Return the routes that the options name; one that cannot exist is refused."""
        return []
