"""The truth of a data set, and how engines are tuned and timed against it."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint_adapters.benchmarks.search_engines import Engine, Numbers
from tiepoint_adapters.benchmarks.vectors import Vectors

_ROUNDS = 5
_SLOW_QUERIES = 20  # a round of the engines that take milliseconds
_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Truth:
    """How near the true k-th neighbour of each query is.

    Attributes:
        vectors: (rows, dim) what is searched.
        queries: (n, dim).
        kth: (n,) the cosine of the k-th neighbour.
        k: How many neighbours there are.
    """

    vectors: Vectors
    queries: Vectors
    kth: NDArray[np.float32]
    k: int

    def recall(self, found: Numbers, asked: slice = slice(None)) -> float:
        """Return the share of (n, k) answers that are as near as the k-th neighbour."""
        right = 0
        for query, kth, numbers in zip(self.queries[asked], self.kth[asked], found, strict=True):
            own = np.unique(numbers[numbers >= 0])
            right += min(self.k, int(np.sum(self.vectors[own] @ query >= kth - _TIE)))
        return round(right / (self.k * len(found)), 4)


def truth_of(vectors: Vectors, queries: Vectors, k: int, among: Numbers | None = None) -> Truth:
    """Return the truth by exact search, among some of the vectors only where they are given."""
    import faiss

    searched = vectors if among is None else vectors[among]
    k = min(k, len(searched))
    similarities, _ = faiss.knn(queries, searched, k, metric=faiss.METRIC_INNER_PRODUCT)
    return Truth(vectors, queries, similarities[:, -1], k)


def tune(engine: Engine, queries: Vectors, truth: Truth, recall: float) -> None:
    """Set the least breadth that gives the recall, on the very queries that are timed."""
    if engine.choose is None:
        return
    asked = slice(0, 5 * _SLOW_QUERIES) if engine.slow else slice(None)
    for breadth in engine.breadths:
        engine.breadth = breadth
        engine.choose(breadth)
        if truth.recall(engine.found(queries[asked]), asked) >= recall:
            return


def timings(engines: list[Engine], queries: Vectors, size: int) -> dict[str, list[float]]:
    """Return the seconds of each call, with `size` queries a call, the engines taking turns."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for engine in engines:
        engine.search(queries[:size])
    for turn in range(_ROUNDS):
        for engine in engines:
            asked = queries
            if engine.slow:
                asked = queries[turn * _SLOW_QUERIES :][: max(size, _SLOW_QUERIES)]
            for start in range(0, len(asked) - size + 1, size):
                step = asked[start : start + size]
                started = time.perf_counter()
                engine.search(step)
                seconds[engine.name].append(time.perf_counter() - started)
    return seconds


def figures(seconds: list[float], size: int) -> dict[str, float]:
    """Return median and 99th percentile of a call in milliseconds, and queries per second."""
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {
        "p50_ms": round(float(p50), 4),
        "p99_ms": round(float(p99), 4),
        "qps": round(size * len(seconds) / sum(seconds), 1),
    }


def curve_of(engine: Engine, queries: Vectors, truth: Truth) -> list[tuple[float, float]]:
    """Return (recall, queries per second by the median) at each breadth, one query at a time."""
    points = []
    for breadth in engine.breadths or (0,):
        if engine.choose is not None:
            engine.choose(breadth)
        answers, seconds = [], []
        for query in queries:
            started = time.perf_counter()
            answers.append(engine.search(query[None]))
            seconds.append(time.perf_counter() - started)
        found = np.concatenate([engine.numbers(answer) for answer in answers])
        points.append((truth.recall(found), 1 / float(np.median(seconds))))
    return points
