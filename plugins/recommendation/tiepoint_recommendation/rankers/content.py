"""What looks or reads like the latest items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint_recommendation.histories import Floats, Histories, History
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker
from tiepoint_recommendation.rankers.nearest import NearestItems
from tiepoint_recommendation.rankers.recency import RecencyOptions, fading


class ContentOptions(RecencyOptions):
    """How many of the vectors' dimensions count."""

    fade_items: float = Field(
        default=5.0, gt=0, title="Fade (items)", description="See `item-item`; shorter here."
    )
    dimensions: int = Field(
        default=128,
        ge=2,
        title="Dimensions",
        description="The directions of most variance within the catalogue that are kept.",
    )


class Content(Ranker):
    """The mean vector of a history's items, compared with every item.

    The vectors are centred on the catalogue's mean, so that what all items share says nothing.

    Attributes:
        vectors: Which of the item space's vectors.
    """

    vectors: ClassVar[str]
    Options = ContentOptions

    def __init__(self, options: ContentOptions) -> None:
        super().__init__(options)
        self.recency = options
        self._near = NearestItems(np.zeros((0, 0), np.float32))

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        given = space.vectors.get(self.vectors)
        if given is None:
            given = np.zeros((len(space), 1), np.float32)
        self._near = NearestItems(principal(given, self.recency.dimensions))

    def scores(self, histories: Histories) -> Floats:
        return self._near.scores(
            histories.sums(fading(histories, self.recency), self._near.vectors)
        )

    def state(self) -> dict[str, NDArray[Any]]:
        return {"items": self._near.vectors}

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._near = NearestItems(state["items"])
        self._near.prepare()

    def reasons(self, history: History, item: int) -> Floats:
        weights = fading(Histories.of([history], 0.0), self.recency)
        items = self._near.vectors
        given = weights * (items[history.items] @ items[item])
        return np.asarray(given, np.float32)


class TextContent(Content):
    """What reads like the latest items."""

    name: ClassVar[str] = "text"
    vectors: ClassVar[str] = "text"


class ImageContent(Content):
    """What looks like the latest items."""

    name: ClassVar[str] = "image"
    vectors: ClassVar[str] = "image"


class FusedContent(Content):
    """What is like the latest items in the joint space of text and image."""

    name: ClassVar[str] = "fused"
    vectors: ClassVar[str] = "fused"


def principal(vectors: Floats, dimensions: int) -> Floats:
    """Return (n, at most dimensions) float32 unit vectors along the principal components.

    Rows of zeros (items without that part) stay so, and count for nothing.

    Args:
        vectors: (n, d) float32.
        dimensions: The most directions that are kept.
    """
    present = vectors.any(axis=1)
    if present.sum() < 2:
        return np.zeros((len(vectors), 1), np.float32)
    centred = vectors[present] - vectors[present].mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred)
    kept = directions[:, np.argsort(-values)[:dimensions]]
    reduced = centred @ kept
    lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
    items = np.zeros((len(vectors), kept.shape[1]), np.float32)
    items[present] = reduced / np.maximum(lengths, 1e-12)
    return items
