"""Routes propose items, and every proposal is scored on every route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import RouteScores
from tiepoint.index.base import Candidates, Searcher
from tiepoint.index.filters import Filter
from tiepoint.query.probes import Probe, WordProbe


class Scope(NamedTuple):
    """Which items may be proposed: those that pass a filter and are not excluded."""

    where: Filter | None
    exclude: Sequence[str]


@dataclass(frozen=True, slots=True)
class Matched:
    """What a word route found.

    Attributes:
        best: The best items.
        complete: Whether no other item that may be proposed has a matching word.
    """

    best: Candidates
    complete: bool


@dataclass(frozen=True, slots=True)
class Proposals:
    """What routes propose.

    Attributes:
        ids: The items that any route proposes.
        matched: What each word route found, in the order of the word probes.
    """

    ids: list[str]
    matched: list[Matched]


class Gatherer:
    """Asks a collection's routes.

    Args:
        searcher: What answers the single routes.
    """

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher

    def propose(
        self, probes: Sequence[Probe], words: Sequence[WordProbe], scope: Scope, depth: int
    ) -> Proposals:
        """Return the best `depth` items of each route."""
        ids: dict[str, None] = {}
        for probe in probes:
            found = self.searcher.search_vector(
                probe.field, probe.vector, depth, scope.where, scope.exclude
            )
            ids.update(dict.fromkeys(found.ids))
        matched = []
        for word in words:
            found = self.searcher.search_text(
                word.field, word.text, depth, scope.where, scope.exclude
            )
            ids.update(dict.fromkeys(found.ids))
            matched.append(Matched(found, len(found.ids) < depth))
        return Proposals(list(ids), matched)

    def score(
        self,
        probes: Sequence[Probe],
        words: Sequence[WordProbe],
        pool: Sequence[str],
        matched: Sequence[Matched],
    ) -> list[RouteScores]:
        """Return each route's view of the pool.

        Args:
            probes: The vector routes.
            words: The word routes.
            pool: The items to score.
            matched: What each word route found best; it sets the scale of its scores.
        """
        routes = [self.vector_scores(probe, pool) for probe in probes]
        return routes + [
            self.word_scores(word, found, pool) for word, found in zip(words, matched, strict=True)
        ]

    def vector_scores(self, probe: Probe, pool: Sequence[str]) -> RouteScores:
        """Return a vector route's exact cosines."""

        def stored(positions: Sequence[int]) -> Vectors:
            return self.searcher.vectors(probe.field, [pool[position] for position in positions])

        similarities = self.searcher.similarities(probe.field, probe.vector, pool)
        return replace(self.against_background(probe, similarities), stored=stored)

    def against_background(self, probe: Probe, scores: Vectors) -> RouteScores:
        """Return cosines with what is usual for this query."""
        mean, deviation = self.searcher.background(probe.field, probe.vector)
        return RouteScores(probe.route, scores, mean, max(deviation, 1e-6), probe.vector)

    def word_scores(self, word: WordProbe, matched: Matched, pool: Sequence[str]) -> RouteScores:
        """Return BM25 scores over the pool, in units of the root mean square of the best ones.

        An item without a matching word scores 0 by definition, so 0 is the background; the
        root mean square of the matches is a spread that a single match has too.
        """
        found = matched.best
        known = dict(zip(found.ids, found.scores.tolist(), strict=True))
        scores = np.array([known.get(id_, np.nan) for id_ in pool], np.float32)
        others = np.flatnonzero(np.isnan(scores))
        if len(others) and not matched.complete:
            scores[others] = self.searcher.word_scores(
                word.field, word.text, [pool[position] for position in others.tolist()]
            )
        spread = float(np.sqrt(np.mean(np.square(found.scores)))) if len(found.ids) else 1.0
        return RouteScores(word.route, scores, 0.0, max(spread, 1e-6))
