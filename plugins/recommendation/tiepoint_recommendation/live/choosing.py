"""From scores to the items of an answer: rules, diversity, caps, pins and exploration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.query.diversity import Marginal
from tiepoint_recommendation.exploration.policies import Policy
from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.live.shelf import Mask, Shelf
from tiepoint_recommendation.rules.effects import Effects

_LEAST_POOL = 60
_POOL_PER_PLACE = 4
_BLOCK = 64
_LOWEST = float(np.finfo(np.float32).min)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item of an answer.

    Attributes:
        number: The item's number.
        policy: What chose it: `none` where it was the best, else the exploring policy.
        propensity: How likely that choice was.
        candidates: Among how many it was made.
        best: Whether it was the first of them.
        pinned: Whether a rule put it there.
    """

    number: int
    policy: str = "none"
    propensity: float = 1.0
    candidates: int = 1
    best: bool = True
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Exploring:
    """How the last places explore.

    Attributes:
        name: Of the policy.
        policy: The policy.
        places: How many places.
        candidates: Among how many items each one chooses.
        shown: (n,) how often each item was shown.
        clicked: (n,) how often it was clicked then.
        rng: Where chance comes from.
    """

    name: str
    policy: Policy
    places: int
    candidates: int
    shown: NDArray[np.int64]
    clicked: NDArray[np.int64]
    rng: np.random.Generator


def choose(
    scores: Floats,
    mask: Mask,
    pinnable: Mask,
    shelf: Shelf,
    effects: Effects,
    k: int,
    diversity: float,
    exploring: Exploring | None,
) -> list[Chosen]:
    """Return up to k items, best first.

    Of variants of one product, the best stands for all.

    Args:
        scores: (n,) what each item is worth.
        mask: (n,) which may be chosen.
        pinnable: (n,) which a rule may pin.
        shelf: The items.
        effects: The rules.
        k: How many.
        diversity: From 0 (by score alone) to below 1; see `Marginal`.
        exploring: How to explore; None for not at all.
    """
    pins = [(place, item) for place, item in effects.pins if place < k and pinnable[item]]
    pinned = {item for _, item in pins}
    # What explored places choose among comes after the best k.
    wanted = k + (exploring.candidates if exploring is not None else 0)
    ranked = _ranked(scores, mask, shelf, effects, wanted, diversity, pinned)
    free = k - len({place for place, _ in pins})
    plain = ranked[:free]
    if exploring is None:
        chosen = [Chosen(item) for item in plain]
    else:
        chosen = _explored(plain, ranked[free:], exploring)
    taken = set()
    for place, item in pins:
        if place not in taken:
            taken.add(place)
            chosen.insert(min(place, len(chosen)), Chosen(item, pinned=True))
    return chosen[:k]


def _ranked(
    scores: Floats,
    mask: Mask,
    shelf: Shelf,
    effects: Effects,
    wanted: int,
    diversity: float,
    pinned: set[int],
) -> list[int]:
    """Return up to so many items in their order, with caps and one of each group of variants."""
    there = int(np.count_nonzero(mask))
    pool = max(_LEAST_POOL, _POOL_PER_PLACE * wanted)
    open_scores = np.where(mask, scores, -np.inf)
    while True:
        best = _top(open_scores, min(pool, there))
        best = _one_of_each(best, shelf.model.space.groups)
        order = _diverse(best, scores, shelf.vectors, diversity, wanted, bool(effects.caps))
        kept = _capped(order, effects, pinned, wanted)
        if len(kept) >= wanted or pool >= there:
            return kept
        pool *= 8


def _top(scores: Floats, count: int) -> NDArray[np.int64]:
    """Return the positions of the greatest scores, the greatest first; ties by position."""
    if not count:
        return np.zeros(0, np.int64)
    blocks = len(scores) // _BLOCK
    if count < blocks:
        # So many blocks have a score of at least this, so the greatest scores do, too.
        greatest = scores[: blocks * _BLOCK].reshape(_BLOCK, blocks).max(axis=0)
        bound = np.partition(greatest, blocks - count)[blocks - count]
    else:
        bound = -np.inf
    best = np.flatnonzero(scores >= max(bound, _LOWEST))
    return best[np.lexsort((best, -scores[best]))][:count]


def _one_of_each(best: NDArray[np.int64], groups: NDArray[np.int32]) -> NDArray[np.int64]:
    _, first = np.unique(groups[best], return_index=True)
    return best[np.sort(first)]


def _diverse(
    best: NDArray[np.int64],
    scores: Floats,
    vectors: Floats | None,
    diversity: float,
    wanted: int,
    all_of_them: bool,
) -> list[int]:
    """Return the pool with its first places picked by marginal relevance."""
    if diversity <= 0 or vectors is None or len(best) < 2:
        return list(best.tolist())
    worth = scores[best].astype(np.float64)
    near = vectors[best]
    lacking = ~near.any(axis=1)
    if lacking.any():
        near[lacking] = np.nan
    count = len(best) if all_of_them else wanted
    picks = Marginal(diversity, worth[:wanted]).pick(worth, [near], count)
    places = [place for place, _ in picks]
    rest = np.ones(len(best), np.bool_)
    rest[places] = False
    return [*best[places].tolist(), *best[rest].tolist()]


def _capped(order: Sequence[int], effects: Effects, pinned: set[int], wanted: int) -> list[int]:
    """Return the first items that no cap stops; pinned ones are counted, and left out."""
    counts = [Counter(int(codes[item]) for item in pinned) for codes, _ in effects.caps]
    kept: list[int] = []
    for item in order:
        if item in pinned:
            continue
        groups = [int(codes[item]) for codes, _ in effects.caps]
        full = any(
            group >= 0 and count[group] >= most
            for group, count, (_, most) in zip(groups, counts, effects.caps, strict=True)
        )
        if full:
            continue
        for group, count in zip(groups, counts, strict=True):
            count[group] += 1
        kept.append(item)
        if len(kept) == wanted:
            break
    return kept


def _explored(plain: Sequence[int], rest: Sequence[int], exploring: Exploring) -> list[Chosen]:
    """Let the last places choose among the next best."""
    fixed = max(len(plain) - exploring.places, 0)
    chosen = [Chosen(item) for item in plain[:fixed]]
    left = [*plain[fixed:], *rest]
    for _ in range(len(plain) - fixed):
        candidates = left[: exploring.candidates]
        numbers = np.array(candidates)
        choice = exploring.policy.choose(
            exploring.shown[numbers], exploring.clicked[numbers], exploring.rng
        )
        chosen.append(
            Chosen(
                candidates[choice.position],
                exploring.name,
                choice.propensity,
                len(candidates),
                choice.position == 0,
            )
        )
        left.remove(candidates[choice.position])
    return chosen
