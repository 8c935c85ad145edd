"""The best items of many users, by as many processes as the deployment's engine brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiepoint.engine import Engine
from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.model import Model
from tiepoint_recommendation.ranking import CHUNK, best
from tiepoint_recommendation.saving import load_model

_loaded: dict[tuple[Path, str], Model] = {}


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best items of some of the users.

    Attributes:
        start: The place of the first of these users among all.
        items: (n, k) item numbers, best first; -1 where no more are left.
        scores: (n, k) float32.
    """

    start: int
    items: NDArray[np.int64]
    scores: Floats


def best_of_many(
    engine: Engine, store: Path, model: Model, histories: Histories, k: int
) -> Iterator[Ranked]:
    """Yield the k best items for parts of the histories, in any order.

    Args:
        engine: Where that is done; other processes load the model from the store.
        store: The folder of the model, which every node must reach.
        model: The model.
        histories: Of whom.
        k: How many.

    Raises:
        TiepointError: The work could not be done.
    """
    key = store.resolve(), model.generation
    parts = (
        (start, histories.part(start, start + CHUNK)) for start in range(0, len(histories), CHUNK)
    )
    _loaded[key] = model
    try:
        yield from engine.mapped(partial(_best, key=key, k=k), parts)
    finally:
        _loaded.clear()


def _best(part: tuple[int, Histories], key: tuple[Path, str], k: int) -> Ranked:
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = load_model(*key)
    start, histories = part
    [(items, scores)] = best(_loaded[key], histories, k)
    return Ranked(start, items, scores)
