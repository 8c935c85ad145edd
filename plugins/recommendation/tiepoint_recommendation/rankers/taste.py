"""What items without any event are worth: ridge regressions from what they look and read like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import diags
from scipy.sparse.linalg import svds

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker
from tiepoint_recommendation.rankers.nearest import NearestItems
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading


class TasteOptions(RecencyOptions):
    """Of which content, and how it is held back."""

    fade_items: float = Field(
        default=1e6, gt=0, title="Fade (items)", description="See `item-item`; none here."
    )
    half_life_days: float = Field(
        default=1e5, gt=0, title="Half-life (days)", description="See `item-item`; none here."
    )
    vectors: str = Field(
        default="text", title="Vectors", description="Which vectors: text, image or fused."
    )
    dimensions: int = Field(
        default=256,
        ge=2,
        title="Dimensions",
        description="The directions of most variance within the catalogue that are kept.",
    )
    regularisation: float = Field(
        default=1.0,
        gt=0,
        title="Regularisation",
        description="What is held back, relative to the content's mean variance.",
    )


class Taste(Ranker):
    """A ridge regression of each user's history on content, solved once for all users.

    The regression's inverse depends on the items alone; a history only weighs their vectors.
    """

    name: ClassVar[str] = "taste"
    Options = TasteOptions

    def __init__(self, options: TasteOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._near = NearestItems(np.zeros((0, 1), np.float32))
        self._solved: Floats = np.zeros((0, 1), np.float32)

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        items = content_of(space, self.recency)
        met = np.zeros(len(space), bool)
        met[histories.items[histories.strengths > 0]] = True
        inverse = held_back_inverse(items[met], self.recency.regularisation)
        self._near = NearestItems(items.astype(np.float32))
        self._solved = (items @ inverse).astype(np.float32)

    def scores(self, histories: Histories) -> Floats:
        weights = histories.matrix(fading(histories, self.recency), len(self._solved))
        return self._near.scores(weights @ self._solved)

    def state(self) -> dict[str, NDArray[Any]]:
        return {"items": self._near.vectors, "solved": self._solved}

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._near, self._solved = NearestItems(state["items"]), state["solved"]
        self._near.prepare()

    def reasons(self, history: History, item: int) -> Floats:
        weights = fading(Histories.of([history], 0.0), self.recency)
        given = weights * (self._solved[history.items] @ self._near.vectors[item])
        return np.asarray(given, np.float32)


class ContentMapOptions(TasteOptions):
    """The size of the factors that content is mapped to."""

    dimensions: int = Field(
        default=384, ge=2, title="Dimensions", description="See `taste`; more here."
    )
    factors: int = Field(default=64, ge=1, title="Factors", description="Of the behaviour.")
    popularity_power: float = Field(
        default=0.25,
        ge=0,
        le=1,
        title="Popularity power",
        description="Events count less by their item's popularity to this power.",
    )


class ContentMap(Ranker):
    """A learned map from content to factors of behaviour, so that new items have factors, too.

    The factors are the singular vectors of users by items; the map is a ridge regression on
    the items that have events (as in Gantner et al., 2010). Items are scored by the factors
    that their content gives, histories by the items' own.
    """

    name: ClassVar[str] = "content-map"
    Options = ContentMapOptions

    def __init__(self, options: ContentMapOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._own: Floats = np.zeros((0, 1), np.float32)
        self._near = NearestItems(self._own)

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        options = self.recency
        content = content_of(space, options)
        liked = histories.matrix((histories.strengths > 0).astype(np.float64), len(space))
        counts = np.asarray(liked.sum(axis=0), np.float64).ravel()
        met = counts > 0
        damping = 1 / np.maximum(counts, 1) ** options.popularity_power
        rank = min(options.factors, int(met.sum()) - 1, len(histories) - 1)
        if rank < 1 or not content.any():
            self._own = np.zeros((len(space), 1), np.float32)
            self._near = NearestItems(self._own)
            return
        damped = (liked @ diags(damping)).tocsr()[:, met].astype(np.float64)
        _, values, directions = svds(damped, k=rank, random_state=0)
        factors = directions.T * values
        known = content[met]
        inverse = held_back_inverse(known, options.regularisation)
        mapped = content @ (inverse @ (known.T @ factors)) + factors.mean(axis=0)
        mapped[~content.any(axis=1)] = 0
        own = np.zeros((len(space), rank))
        own[met] = directions.T * damping[met, None]
        self._own, self._near = own.astype(np.float32), NearestItems(mapped.astype(np.float32))

    def scores(self, histories: Histories) -> Floats:
        weights = histories.matrix(fading(histories, self.recency), len(self._own))
        return self._near.scores(weights @ self._own)

    def state(self) -> dict[str, NDArray[Any]]:
        return {"own": self._own, "mapped": self._near.vectors}

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._own, self._near = state["own"], NearestItems(state["mapped"])
        self._near.prepare()

    def reasons(self, history: History, item: int) -> Floats:
        weights = fading(Histories.of([history], 0.0), self.recency)
        given = weights * (self._own[history.items] @ self._near.vectors[item])
        return np.asarray(given, np.float32)


def content_of(space: ItemSpace, options: TasteOptions) -> NDArray[np.float64]:
    """Return (n, d) float64: content along its principal directions, of mean length 1.

    Zeros where an item lacks that part.
    """
    given = space.vectors.get(options.vectors)
    if given is None or given.any(axis=1).sum() < 2:
        return np.zeros((len(space), 1))
    present = given.any(axis=1)
    centred = np.zeros(given.shape)
    centred[present] = given[present] - given[present].mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    centred /= np.where(lengths > 0, lengths, 1)
    centred[present] -= centred[present].mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred)
    reduced = centred @ directions[:, np.argsort(-values)[: options.dimensions]]
    size = np.sqrt((reduced[present] ** 2).sum(axis=1).mean())
    return np.asarray(reduced / max(float(size), 1e-12))


def held_back_inverse(content: NDArray[np.float64], regularisation: float) -> NDArray[np.float64]:
    """Return (d, d), the inverse of the content's covariance, held back by its mean variance."""
    dimensions = content.shape[1]
    covariance = content.T @ content
    held = regularisation * max(float(np.trace(covariance)), 1e-12) / dimensions
    return np.linalg.inv(covariance + held * np.eye(dimensions))
