"""The weights of a blend, learned from what users did next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tiepoint_recommendation.blending.blend import SEGMENTS, Blend, standardised
from tiepoint_recommendation.histories import Floats, Histories

CANDIDATES = 100
"""Of each ranker, so many items compete with what was really done next."""
_HELD_BACK = 0.01
_HELD_TO_ALL = 20.0
"""How many users' worth a segment's weights are held to those of all users."""


def learned(
    blend: Blend,
    scores: Mapping[str, Floats],
    asked: Histories,
    wanted: NDArray[np.int64],
) -> Blend:
    """Return the blend with the weights under which what came next is likeliest.

    The likelihood is that of a softmax over the candidates of all rankers. The weights of a
    segment are held to those of all users, the more so the fewer users it has.

    Args:
        blend: The rankers and the segments' bounds.
        scores: (n, n_items) of each ranker.
        asked: The n histories.
        wanted: (n,) the number of the item that came next in each.
    """
    features, valid = _candidates(blend, scores, asked, wanted)
    segments = blend.segments(asked.lengths)
    start = np.full(len(blend.rankers), 0.3)
    common = _likeliest(features, valid, start, np.zeros_like(start), _HELD_BACK)
    weights = np.tile(common, (len(SEGMENTS), 1))
    for segment in range(len(SEGMENTS)):
        own = segments == segment
        if own.any():
            held = _HELD_BACK + _HELD_TO_ALL / own.sum()
            weights[segment] = _likeliest(features[own], valid[own], common, common, held)
    return replace(blend, weights=weights.astype(np.float32))


def _candidates(
    blend: Blend, scores: Mapping[str, Floats], asked: Histories, wanted: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the standardised scores of what was wanted, first, and of what competes with it.

    Returns:
        (n, candidates, rankers) float32, and (n, candidates) bool that is false for padding.
    """
    n, n_items = len(asked), next(iter(scores.values())).shape[1]
    standard = [standardised(scores[name]) for name in blend.rankers]
    most = min(CANDIDATES, n_items - 1)
    rows = np.arange(n)[:, None]
    seen = asked.matrix(np.ones(len(asked.items)), n_items).toarray() > 0
    chosen = np.zeros((n, n_items), bool)
    for one in standard:
        open_ = np.where(seen, -np.inf, one)
        chosen[rows, np.argpartition(-open_, most, axis=1)[:, :most]] = True
    chosen &= ~seen
    chosen[np.arange(n), wanted] = False
    width = int(chosen.sum(axis=1).max()) + 1
    order = np.argsort(~chosen, axis=1, kind="stable")[:, : width - 1]
    items = np.concatenate([wanted[:, None], order], axis=1)
    valid = np.concatenate([np.ones((n, 1), bool), chosen[rows, order]], axis=1)
    return np.stack([one[rows, items] for one in standard], axis=-1), valid


def _likeliest(
    features: Floats,
    valid: NDArray[np.bool_],
    start: NDArray[np.float64],
    centre: NDArray[np.float64],
    held: float,
) -> NDArray[np.float64]:
    """Return weights, at least 0, that make the first candidates likeliest."""

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = np.where(valid, features @ weights.astype(np.float32), -np.inf)
        highest = logits.max(axis=1, keepdims=True)
        likely = np.exp(logits - highest)
        totals = likely.sum(axis=1, keepdims=True)
        likely /= totals
        mean_log = np.mean(logits[:, 0] - highest[:, 0] - np.log(totals[:, 0]))
        expected = np.einsum("nc,ncr->nr", likely, features)
        slope = np.mean(features[:, 0] - expected, axis=0).astype(np.float64)
        apart = weights - centre
        return float(-mean_log + held * apart @ apart), -slope + 2 * held * apart

    bounds = [(0.0, None)] * len(start)
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(found.x)
