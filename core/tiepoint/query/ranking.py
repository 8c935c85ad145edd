"""A plan's ranking, in blocks: what the routes propose first, then what they propose deeper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.fusion.base import Fusion, RouteScores
from tiepoint.query.boosts import with_boosts
from tiepoint.query.checks import MAX_K
from tiepoint.query.gathering import Gatherer, Matched
from tiepoint.query.plan import Plan, Side
from tiepoint.types import Contribution

NOT = "not "
"""What precedes the name of a route that is asked by a negative part."""

_DEEPER = 4

Shares = tuple[Contribution, ...]


@dataclass(slots=True)
class Block:
    """Items that were proposed together, in the order in which they were proposed.

    Attributes:
        ids: The items.
        shares: Each one's contributions.
        scores: (n,) their sums.
        fused: (n,) the part of the scores that comes from the wanted routes.
        routes: The wanted routes' views of the items.
    """

    ids: list[str]
    shares: list[Shares]
    scores: NDArray[np.float64]
    fused: NDArray[np.float64]
    routes: list[RouteScores]

    def order(self) -> NDArray[np.int64]:
        """Return the positions of the items, the best first; equal scores go by id."""
        return np.lexsort((np.array(self.ids), -self.scores))


class Ranker:
    """Ranks plans.

    A ranking does not depend on how much of it is looked at: what deeper proposals bring comes
    after what was proposed before, also where it scores higher, and the scale of word scores is
    that of the first proposals. So pages follow each other without gaps or repetitions.

    Args:
        gatherer: Asks the routes.
        fusion: How several routes become one score.
    """

    def __init__(self, gatherer: Gatherer, fusion: Fusion) -> None:
        self._gatherer = gatherer
        self._fusion = fusion

    def blocks(self, plan: Plan, depth: int) -> Iterator[Block]:
        """Yield the ranking; the first block has the `depth` best items of each route."""
        alone = (
            len(plan.wanted) == 1
            and not plan.unwanted
            and not plan.boosts
            and not self._fusion.takes_single_routes
        )
        scored = self._single_block if alone else self._fused_block
        seen: set[str] = set()
        matched: list[Matched] | None = None
        unwanted_matched = [] if alone else self._matched(plan, depth)
        while True:
            found = self._gatherer.propose(plan.wanted.probes, plan.wanted.words, plan.scope, depth)
            if matched is None:
                matched = found.matched
            pool = [id_ for id_ in found.ids if id_ not in seen]
            if not pool:
                return
            seen.update(pool)
            yield scored(plan, pool, matched, unwanted_matched)
            if depth >= MAX_K:
                return
            depth = min(depth * _DEEPER, MAX_K)

    def _matched(self, plan: Plan, depth: int) -> list[Matched]:
        """Return the best matches of unwanted words, which set the scale of their scores."""
        return self._gatherer.propose((), plan.unwanted.words, plan.scope, depth).matched

    def _single_block(
        self, plan: Plan, pool: list[str], matched: Sequence[Matched], _: Sequence[Matched]
    ) -> Block:
        """A single route needs no scaling: the score is its similarity."""
        routes = self._gatherer.score(plan.wanted.probes, plan.wanted.words, pool, matched)
        [route] = routes
        shares: list[Shares] = [
            (Contribution(route.route, score, score, 1.0, score),)
            for score in route.scores.tolist()
        ]
        scores = route.scores.astype(np.float64)
        return Block(pool, shares, scores, scores, routes)

    def _fused_block(
        self,
        plan: Plan,
        pool: list[str],
        matched: Sequence[Matched],
        unwanted_matched: Sequence[Matched],
    ) -> Block:
        routes = self._gatherer.score(plan.wanted.probes, plan.wanted.words, pool, matched)
        shares = self._fusion.fuse(routes)
        if plan.wanted.factors:
            shares = [_each(share, _multiplied(plan.wanted)) for share in shares]
        fused = sums(shares)
        if plan.unwanted:
            against = self._gatherer.score(
                plan.unwanted.probes, plan.unwanted.words, pool, unwanted_matched
            )
            opposed = _opposed(plan.unwanted)
            shares = [
                (*share, *_each(taken, opposed))
                for share, taken in zip(shares, self._fusion.fuse(against), strict=True)
            ]
        if plan.boosts:
            shares = with_boosts(shares, plan.boosts, self._gatherer.searcher, pool)
        scores = sums(shares) if plan.unwanted or plan.boosts else fused
        return Block(pool, shares, scores, fused, routes)


def sums(shares: Sequence[Shares]) -> NDArray[np.float64]:
    """Return (n,) the sums of contributions."""
    return np.array([sum(share.value for share in row) for row in shares], np.float64)


def _each(shares: Shares, change: Callable[[Contribution], Contribution | None]) -> Shares:
    changed = (change(share) for share in shares)
    return tuple(share for share in changed if share is not None)


def _multiplied(side: Side) -> Callable[[Contribution], Contribution]:
    def change(share: Contribution) -> Contribution:
        factor = side.factors.get(share.route, 1.0)
        return share._replace(weight=share.weight * factor, value=share.value * factor)

    return change


def _opposed(side: Side) -> Callable[[Contribution], Contribution | None]:
    """Turn what a route adds into what it takes; unlikeness to it is no merit."""
    asked = set(side.routes)

    def change(share: Contribution) -> Contribution | None:
        if share.value <= 0 or share.route not in asked:
            return None
        factor = -side.factors.get(share.route, 1.0)
        name = share.route if share.route.startswith("unlike->") else NOT + share.route
        return share._replace(route=name, weight=share.weight * factor, value=share.value * factor)

    return change
