"""What a fusion learns from: the candidates of labelled queries, as every route sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import RouteScores

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOT_FOUND = np.iinfo(np.int64).max
"""The rank of a relevant item that no route proposed."""


@dataclass(frozen=True)
class FusionExamples:
    """Labelled queries with their candidates, padded to the same number.

    Attributes:
        fingerprints: The q queries' r routes, with what names each route's similarities.
        standing: (q, c, r) float32 standardised similarities, NaN where a route does not know
            a candidate, and in the padding.
        asked: (q, r) whether a route took part in a query.
        mean: (q, r) float32 of the background that similarities were standardised by.
        scale: (q, r) float32, its spread.
        features: (q, r, 8) float32 `FEATURES` of each route's answer.
        relevant: (q, c) whether a candidate is one of the wanted items.
        candidates: (q, c) int64 which item a candidate is; -1 in the padding.
        queries: By route, (q, d) float32 vectors that it asked by, 0 where it did not take part;
            absent for words.
        items: By route, (n_items, d) float32 vectors of the items, NaN where an item has none;
            empty if they were not wanted.
        gallery: How many items were searched.
    """

    fingerprints: Mapping[str, str]
    standing: Vectors
    asked: Mask
    mean: Vectors
    scale: Vectors
    features: Vectors
    relevant: Mask
    candidates: Rows
    queries: Mapping[str, Vectors]
    items: Mapping[str, Vectors]
    gallery: int

    def __len__(self) -> int:
        return len(self.standing)

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes' names, in the order of the arrays."""
        return tuple(self.fingerprints)

    @cached_property
    def links(self) -> Rows:
        """(n, 2) int64: each query that can teach, with the column of each relevant candidate.

        A query teaches where it has both relevant candidates and others.
        """
        teaches: Mask = np.asarray(self.rivals.any(axis=1))
        return np.argwhere(self.relevant & teaches[:, None]).astype(np.int64)

    @cached_property
    def rivals(self) -> Mask:
        """(q, c) bool: candidates that are not relevant."""
        return np.asarray((self.candidates >= 0) & ~self.relevant, np.bool_)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of what is learned from, in hexadecimal."""
        content = hashlib.sha256(repr(sorted(self.fingerprints.items())).encode())
        for array in (self.standing, self.relevant, self.candidates):
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()

    def known_standing(self) -> Vectors:
        """Return (q, c, r) standings, 0 (as any item's) where a route does not know one."""
        return np.nan_to_num(self.standing, nan=0.0)

    def of(self, rows: Rows) -> FusionExamples:
        """Return some of the queries."""
        return replace(
            self,
            standing=self.standing[rows],
            asked=self.asked[rows],
            mean=self.mean[rows],
            scale=self.scale[rows],
            features=self.features[rows],
            relevant=self.relevant[rows],
            candidates=self.candidates[rows],
            queries={route: vectors[rows] for route, vectors in self.queries.items()},
        )

    def ranks(self, scores: NDArray[np.floating]) -> Rows:
        """Return the 0-based rank of each query's first relevant candidate, ties against it.

        Args:
            scores: (q, c) fused scores; what the padding holds does not matter.
        """
        best = np.where(self.relevant, scores, -np.inf).max(1, keepdims=True)
        above = ((scores >= best) & self.rivals).sum(1)
        return np.where(self.relevant.any(1), above, NOT_FOUND).astype(np.int64)

    def route_scores(self, query: int) -> list[RouteScores]:
        """Return one query's routes as a fusion gets them in a search."""
        candidates = self.candidates[query]
        candidates = candidates[candidates >= 0]
        made = []
        for column, route in enumerate(self.routes):
            if self.asked[query, column]:
                mean, scale = float(self.mean[query, column]), float(self.scale[query, column])
                made.append(
                    RouteScores(
                        route,
                        self.standing[query, : len(candidates), column] * scale + mean,
                        mean,
                        scale,
                        self.queries[route][query] if route in self.queries else None,
                        _lookup(self.items[route], candidates) if route in self.items else None,
                    )
                )
        return made


def _lookup(items: Vectors, candidates: Rows) -> Callable[[Sequence[int]], Vectors]:
    return lambda positions: items[candidates[np.asarray(positions, np.int64)]]


def wanted_items(examples: FusionExamples) -> Rows:
    """Return (q,) int64: the first relevant candidate's item; a number of its own without one.

    Queries that want the same item go together where queries are divided or drawn.
    """
    found = examples.relevant.any(1)
    first = examples.candidates[np.arange(len(examples)), examples.relevant.argmax(1)]
    alone = int(examples.candidates.max(initial=0)) + 1 + np.arange(len(examples))
    return np.where(found, first, alone).astype(np.int64)
