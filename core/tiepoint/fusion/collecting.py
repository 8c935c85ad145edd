"""Collects labelled queries, one after the other, into what a fusion learns from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.errors import InputError
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.examples import FusionExamples, Rows
from tiepoint.fusion.features import FEATURES, query_features


@dataclass(frozen=True, slots=True)
class _Query:
    candidates: Rows
    relevant: NDArray[np.bool_]
    standing: dict[str, Vectors]
    backgrounds: dict[str, tuple[float, float]]
    features: Vectors
    vectors: dict[str, Vectors]


class ExampleCollector:
    """Takes the candidates of one labelled query at a time.

    Args:
        fingerprints: What names the similarities of each route that may take part.
        gallery: How many items are searched.
        vectors: Whether the items' vectors are wanted, too.
    """

    def __init__(
        self, fingerprints: Mapping[str, str], gallery: int, *, vectors: bool = False
    ) -> None:
        self._fingerprints = fingerprints
        self._gallery = gallery
        self._wants_vectors = vectors
        self._queries: list[_Query] = []
        self._rows: dict[str, int] = {}
        self._items: dict[str, dict[int, Vectors]] = {}

    def add(
        self, pool: Sequence[str], routes: Sequence[RouteScores], relevant: Collection[str]
    ) -> None:
        """Take one query.

        Args:
            pool: The ids of its candidates.
            routes: Each route's view of them.
            relevant: The ids of the wanted items, whether or not they are candidates.

        Raises:
            InputError: A similarity is infinite, or a route is not one of those that may be.
        """
        wanted = set(relevant)
        rows = np.array([self._rows.setdefault(id_, len(self._rows)) for id_ in pool], np.int64)
        standing, vectors = {}, {}
        for route in routes:
            if route.route not in self._fingerprints:
                raise InputError(
                    f"there is no route {route.route!r} to learn a weight for",
                    hint=f"The routes are {', '.join(self._fingerprints)}.",
                )
            standing[route.route] = np.asarray(route.standardised, np.float32)
            if np.isinf(standing[route.route]).any():
                raise InputError(f"the route {route.route!r} gives infinite similarities")
            if route.query is not None:
                vectors[route.route] = route.query
            if self._wants_vectors and route.stored is not None:
                self._keep(route.route, rows, route.stored)
        flags = np.array([id_ in wanted for id_ in pool], bool)
        backgrounds = {route.route: (route.mean, route.scale) for route in routes}
        features = query_features(routes)
        self._queries.append(_Query(rows, flags, standing, backgrounds, features, vectors))

    def _keep(self, route: str, rows: Rows, stored: Callable[[Sequence[int]], Vectors]) -> None:
        kept = self._items.setdefault(route, {})
        new = [position for position, row in enumerate(rows.tolist()) if row not in kept]
        if new:
            kept.update(zip(rows[new].tolist(), stored(new), strict=True))

    def finish(self) -> FusionExamples:
        """Return everything that was taken.

        Raises:
            InputError: No query was taken, or none had a candidate.
        """
        width = max((len(query.candidates) for query in self._queries), default=0)
        if not width:
            raise InputError(
                "no labelled query has a candidate", hint="Index items before fitting a fusion."
            )
        seen = {route for query in self._queries for route in query.standing}
        fingerprints = {r: f for r, f in self._fingerprints.items() if r in seen}
        n, columns = len(self._queries), {route: i for i, route in enumerate(fingerprints)}
        standing = np.full((n, width, len(columns)), np.nan, np.float32)
        asked = np.zeros((n, len(columns)), bool)
        mean = np.zeros((n, len(columns)), np.float32)
        scale = np.ones((n, len(columns)), np.float32)
        features = np.zeros((n, len(columns), len(FEATURES)), np.float32)
        relevant = np.zeros((n, width), bool)
        candidates = np.full((n, width), -1, np.int64)
        for row, query in enumerate(self._queries):
            count = len(query.candidates)
            relevant[row, :count] = query.relevant
            candidates[row, :count] = query.candidates
            for position, (route, values) in enumerate(query.standing.items()):
                column = columns[route]
                standing[row, :count, column] = values
                asked[row, column] = True
                mean[row, column], scale[row, column] = query.backgrounds[route]
                features[row, column] = query.features[position]
        return FusionExamples(
            fingerprints,
            standing,
            asked,
            mean,
            scale,
            features,
            relevant,
            candidates,
            self._asked_by(columns),
            {route: _table(kept, len(self._rows)) for route, kept in self._items.items()},
            self._gallery,
        )

    def _asked_by(self, routes: Collection[str]) -> dict[str, Vectors]:
        found = {}
        for route in routes:
            known = {
                row: query.vectors[route]
                for row, query in enumerate(self._queries)
                if route in query.vectors
            }
            if known:
                found[route] = np.nan_to_num(_table(known, len(self._queries)), nan=0.0)
        return found


def _table(kept: Mapping[int, Vectors], rows: int) -> Vectors:
    """Return (rows, d) float32, NaN where a row is not among those kept."""
    dim = len(next(iter(kept.values())))
    table = np.full((rows, dim), np.nan, np.float32)
    table[list(kept)] = np.stack(list(kept.values()))
    return table
