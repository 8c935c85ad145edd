"""Scores of one query or several against vectors, by metric; higher is always better.

A single query is compared on the calling thread alone. BLAS would split its products over all
cores; where these are busy, its threads wait for each other and a search takes tens of
milliseconds instead of tenths (measured on 2 busy cores, 100,000 x 256: 42 ms against 11 ms).
Concurrent searches keep the cores busy as well.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors

METRICS: tuple[Metric, ...] = get_args(Metric)

_PRODUCTS = frozenset(("cosine", "inner_product"))
_SMALL = 32  # rows that BLAS multiplies on one thread, with less overhead
_BLOCK = 1024  # gathered rows that stay in the processor's cache


def faiss_metric(metric: Metric) -> int:
    """Return FAISS's number of the metric, for exact searches."""
    import faiss

    number: int = {
        "cosine": faiss.METRIC_INNER_PRODUCT,
        "inner_product": faiss.METRIC_INNER_PRODUCT,
        "euclidean": faiss.METRIC_L2,
        "manhattan": faiss.METRIC_L1,
    }[metric]
    return number


def proposing_metric(metric: Metric) -> int:
    """Return FAISS's number of the metric that candidates are proposed by.

    Nothing compressed knows the Manhattan distance; the Euclidean one proposes, with more
    candidates for the rescoring to choose from.
    """
    import faiss

    number: int = faiss.METRIC_L2 if metric == "manhattan" else faiss_metric(metric)
    return number


def scores(metric: Metric, vectors: Vectors, query: Vectors) -> Vectors:
    """Return (n,) scores of (n, dim) contiguous vectors for a (dim,) query.

    The score is the inner product, which is the cosine of unit vectors, or the negative
    distance.
    """
    if len(vectors) <= _SMALL and metric in _PRODUCTS:
        products: Vectors = vectors.dot(query)  # half the time that `@` takes
        return products
    import faiss

    if metric == "manhattan":
        distances: Vectors = faiss.pairwise_distances(query[None], vectors, faiss.METRIC_L1)[0]
        return np.negative(distances, out=distances)
    euclidean = metric == "euclidean"
    found = np.empty(len(vectors), np.float32)
    compare = faiss.fvec_L2sqr_ny if euclidean else faiss.fvec_inner_products_ny
    compare(
        faiss.swig_ptr(found),
        faiss.swig_ptr(query),
        faiss.swig_ptr(vectors),
        vectors.shape[1],
        len(vectors),
    )
    return _from_squares(found) if euclidean else found


def scores_at(
    metric: Metric, vectors: Vectors, positions: NDArray[np.integer[Any]], query: Vectors
) -> Vectors:
    """Return (m,) scores of the vectors at these positions for a (dim,) query."""
    if len(positions) <= _BLOCK:
        return scores(metric, vectors.take(positions, 0), query)
    found = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = scores(metric, vectors.take(positions[block], 0), query)
    return found


def scores_of_each(
    metric: Metric, vectors: Vectors, positions: NDArray[np.integer[Any]], queries: Vectors
) -> Vectors:
    """Return (n, m) scores of each query's own positions, -inf where a position is negative.

    Args:
        metric: How to compare.
        vectors: (rows, dim) contiguous vectors.
        positions: (n, m) positions by query.
        queries: (n, dim) contiguous queries; all cores work on them.
    """
    import faiss

    if metric == "manhattan":
        found = np.stack(
            [
                scores_at(metric, vectors, np.maximum(own, 0), query)
                for own, query in zip(positions, queries, strict=True)
            ]
        )
        found[positions < 0] = -np.inf
        return found
    euclidean = metric == "euclidean"
    found = np.empty(positions.shape, np.float32)
    positions = np.ascontiguousarray(positions, np.int64)
    compare = faiss.fvec_L2sqr_by_idx if euclidean else faiss.fvec_inner_products_by_idx
    compare(
        faiss.swig_ptr(found),
        faiss.swig_ptr(queries),
        faiss.swig_ptr(vectors),
        faiss.swig_ptr(positions),
        vectors.shape[1],
        *positions.shape,
    )
    if euclidean:
        found = _from_squares(found)
    if positions.min(initial=0) < 0:
        found[positions < 0] = -np.inf
    return found


def nearest(
    metric: Metric, vectors: Vectors, queries: Vectors, k: int
) -> tuple[NDArray[np.int64], Vectors]:
    """Return (n, k) positions and scores of the exact nearest, best first, on all cores."""
    import faiss

    distances, positions = faiss.knn(queries, vectors, k, metric=faiss_metric(metric))
    if metric == "euclidean":
        distances = _from_squares(distances)
    elif metric == "manhattan":
        np.negative(distances, out=distances)
    return positions, distances


def _from_squares(squares: Vectors) -> Vectors:
    """Turn squared distances into negative distances, in place."""
    np.maximum(squares, 0, out=squares)
    np.sqrt(squares, out=squares)
    return np.negative(squares, out=squares)
