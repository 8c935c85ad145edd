"""The weights of a blend, learned from what users did next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tiepoint_recommendation.blending.blend import SEGMENTS, Blend, standardised
from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.splits import Split

CANDIDATES = 100
"""Of each ranker, so many items compete with what was really done next."""
_HELD_BACK = 0.01
_LEAST = 0.03
_HELD_TO_ALL = 20.0
"""How many users' worth a segment's weights are held to those of all users."""


def learned(blend: Blend, scores: Mapping[str, Floats], split: Split) -> Blend:
    """Return the blend with the weights under which what came next is likeliest.

    The likelihood is that of a softmax over the candidates of all rankers. The weights of a
    segment are held to those of all users, the more so the fewer queries it has.

    Args:
        blend: The rankers and the segments' bounds.
        scores: (q, n_items) of each ranker, fitted on the split's training part.
        split: What was asked, and what came next.
    """
    features, valid, query = _candidates(blend, scores, split)
    segments = blend.segments(split.asked.lengths)[query]
    users = split.users[query]
    start = np.full(len(blend.rankers), 0.3)
    examples = _Examples(features, valid, _of_equal_users(users))
    common = _likeliest(examples, start, np.zeros_like(start), _HELD_BACK)
    weights = np.tile(common, (len(SEGMENTS), 1))
    for segment in range(len(SEGMENTS)):
        own = segments == segment
        if own.any():
            held = _HELD_BACK + _HELD_TO_ALL / len(np.unique(users[own]))
            examples = _Examples(features[own], valid[own], _of_equal_users(users[own]))
            weights[segment] = _likeliest(examples, common, common, held)
    # What counts next to nothing would still cost its time at every answer.
    weights[weights < _LEAST * weights.max(axis=1, keepdims=True)] = 0
    return replace(blend, weights=weights.astype(np.float32))


class _Examples(NamedTuple):
    """What came next, first, beside what competes with it.

    Attributes:
        features: (w, candidates, rankers) float32, standardised scores.
        valid: (w, candidates) bool, false for padding.
        counts: (w,) float64, how much each example counts; the sum is 1.
    """

    features: Floats
    valid: NDArray[np.bool_]
    counts: NDArray[np.float64]


def _of_equal_users(users: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how much each example counts if all users count the same."""
    _, codes, times = np.unique(users, return_inverse=True, return_counts=True)
    return np.asarray(1 / times[codes] / len(times), np.float64)


def _candidates(
    blend: Blend, scores: Mapping[str, Floats], split: Split
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Return the standardised scores of what was wanted, first, and of what competes with it.

    Returns:
        (w, candidates, rankers) float32 for w wanted items, (w, candidates) bool that is false
        for padding, and (w,) the query of each.
    """
    asked, n = split.asked, len(split.asked)
    n_items = len(split.gallery)
    gallery = None if split.gallery.all() else split.gallery
    standard = [standardised(scores[name], gallery) for name in blend.rankers]
    most = min(CANDIDATES, n_items - 1)
    rows = np.arange(n)[:, None]
    open_ = np.broadcast_to(split.gallery, (n, n_items)).copy()
    open_[asked.users, asked.items] = False
    chosen = np.zeros((n, n_items), bool)
    for one in standard:
        hidden = np.where(open_, -one, np.inf)
        chosen[rows, np.argpartition(hidden, most, axis=1)[:, :most]] = True
    chosen &= open_
    for row, items in enumerate(split.wanted):
        chosen[row, items] = False
    width = int(chosen.sum(axis=1).max(initial=0))
    order = np.argsort(~chosen, axis=1, kind="stable")[:, :width]
    query = np.repeat(np.arange(n), [len(items) for items in split.wanted])
    wanted = np.concatenate(split.wanted)
    items = np.concatenate([wanted[:, None], order[query]], axis=1)
    valid = np.concatenate([np.ones((len(query), 1), bool), chosen[rows, order][query]], axis=1)
    features = np.stack([one[query[:, None], items] for one in standard], axis=-1)
    return features, valid, query


def _likeliest(
    examples: _Examples,
    start: NDArray[np.float64],
    centre: NDArray[np.float64],
    held: float,
) -> NDArray[np.float64]:
    """Return weights, at least 0, that make the first candidates likeliest."""
    features, valid, counts = examples

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = np.where(valid, features @ weights.astype(np.float32), -np.inf)
        highest = logits.max(axis=1, keepdims=True)
        likely = np.exp(logits - highest)
        totals = likely.sum(axis=1, keepdims=True)
        likely /= totals
        mean_log = counts @ (logits[:, 0] - highest[:, 0] - np.log(totals[:, 0]))
        expected = np.einsum("nc,ncr->nr", likely, features)
        slope = counts @ (features[:, 0] - expected).astype(np.float64)
        apart = weights - centre
        return float(-mean_log + held * apart @ apart), -slope + 2 * held * apart

    bounds = [(0.0, None)] * len(start)
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(found.x)
