"""The best items of each history: seen ones and those that are not offered left out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.model import Model

CHUNK = 512
"""Of so many users the scores are computed at once."""


def best(model: Model, histories: Histories, k: int) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Yield (n, k) item numbers, best first, and their (n, k) scores, for parts of the histories.

    Where fewer than k items are left, the rest of a row is -1 with a score of -inf. Of equal
    scores, the item that comes first in the model's order wins.
    """
    for part in histories.chunks(CHUNK):
        total = closed(model.score(part).total, part, model.space.offered)
        yield top(total, k)


def closed(total: Floats, histories: Histories, offered: NDArray[np.bool_]) -> Floats:
    """Set the scores of seen items, and of those that are not offered, to -inf; in place."""
    total[histories.users, histories.items] = -np.inf
    total[:, ~offered] = -np.inf
    return total


def top(total: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the (n, k) best columns of each row, best first, and their scores."""
    n, n_items = total.shape
    most = min(k, n_items)
    chosen = np.argpartition(-total, most - 1, axis=1)[:, :most] if most < n_items else None
    if chosen is None:
        chosen = np.broadcast_to(np.arange(n_items), (n, n_items))
    values = np.take_along_axis(total, chosen, axis=1)
    order = np.lexsort((chosen, -values), axis=1)
    items = np.full((n, k), -1, np.int64)
    scores = np.full((n, k), -np.inf, np.float32)
    items[:, :most] = np.take_along_axis(chosen, order, axis=1)
    scores[:, :most] = np.take_along_axis(values, order, axis=1)
    items[~np.isfinite(scores)] = -1
    return items, scores
