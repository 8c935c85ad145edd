"""Implicit alternating least squares, with users folded in from their histories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.threads import native_threads
from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker
from tiepoint_recommendation.rankers.nearest import NearestItems
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading


class AlsOptions(RecencyOptions):
    """The size of the factors and how they are held back."""

    factors: int = Field(default=48, ge=1, title="Factors", description="Their number.")
    regularisation: float = Field(
        default=0.05, ge=0, title="Regularisation", description="What factors are held back."
    )
    alpha: float = Field(
        default=4.0, gt=0, title="Alpha", description="How much surer an event makes of liking."
    )
    iterations: int = Field(default=12, ge=1, title="Iterations", description="Of the fit.")
    seed: int = Field(default=0, title="Seed", description="Of the first factors.")


class Als(Ranker):
    """Implicit ALS (Hu, Koren and Volinsky, 2008) by the package `implicit`.

    A history becomes a user's factors in closed form, so that new users need no training.
    """

    name: ClassVar[str] = "als"
    Options = AlsOptions

    def __init__(self, options: AlsOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._items: Floats = np.zeros((0, 0), np.float32)
        self._near = NearestItems(self._items)
        self._gram: Floats = np.zeros((0, 0), np.float32)

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        native_threads()
        options = self.recency
        liked = np.maximum(histories.strengths, 0)
        matrix = histories.matrix(liked, len(space))
        matrix.eliminate_zeros()
        model = AlternatingLeastSquares(
            factors=options.factors,
            regularization=options.regularisation,
            alpha=options.alpha,
            iterations=options.iterations,
            random_state=options.seed,
            num_threads=1,  # more add up in another order, and the same events give other factors
        )
        model.fit(matrix, show_progress=False)
        self._take(np.asarray(model.item_factors, np.float32))

    def _take(self, items: Floats) -> None:
        """Keep the items' factors, and what every history's system of equations begins with."""
        self._items = items
        self._near = NearestItems(items)
        self._gram = items.T @ items
        self._gram[np.diag_indices_from(self._gram)] += self.recency.regularisation

    def scores(self, histories: Histories) -> Floats:
        return self._near.scores(self._users(histories))

    def _users(self, histories: Histories) -> Floats:
        """Return (n, factors) float32: the least-squares factors of each history."""
        options = self.recency
        confidence = options.alpha * np.maximum(fading(histories, options), 0)
        users = np.zeros((len(histories), self._items.shape[1]), np.float32)
        for user in range(len(histories)):
            entries = slice(histories.offsets[user], histories.offsets[user + 1])
            items, weight = self._items[histories.items[entries]], confidence[entries]
            system = self._gram + (items * weight[:, None]).T @ items
            users[user] = np.linalg.solve(system, (1 + weight) @ items)
        return users

    def state(self) -> dict[str, NDArray[Any]]:
        return {"items": self._items}

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._take(state["items"])
        self._near.prepare()

    def reasons(self, history: History, item: int) -> Floats:
        options = self.recency
        batch = Histories.of([history], 0.0)
        weight = options.alpha * np.maximum(fading(batch, options), 0)
        items = self._items[history.items]
        system = self._gram + (items * weight[:, None]).T @ items
        given = (1 + weight) * (items @ np.linalg.solve(system, self._items[item]))
        return np.asarray(given, np.float32)
