"""Building a proposer over many vectors, and going on with one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.index.kinds.base import Proposer
from tiepoint.index.kinds.tuning import TRIALS, tune

_STEP = 8192  # bounds what is copied at once
_SAMPLE = 262_144

Reporter = Callable[[Proposer], None]
"""Told of a proposer that is not finished, after each step."""


def build(
    begun: Proposer | type[Proposer],
    vectors: Vectors,
    metric: Metric,
    recall: float,
    report: Reporter | None = None,
) -> Proposer:
    """Build a proposer with all cores, and tune it.

    The vectors go in in random order, and those of the trials last: until then they are
    queries that the proposer does not know.

    Args:
        begun: What an interrupted build left, or a class to begin with.
        vectors: (n, dim) all vectors, by position.
        metric: How they are compared.
        recall: What it is tuned for.
        report: Told of each step.
    """
    rng = np.random.default_rng(0)
    if isinstance(begun, Proposer):
        proposer = begun
        missing = np.ones(len(vectors), np.bool_)
        missing[proposer.order] = False
        order = rng.permutation(np.flatnonzero(missing))
    else:
        order = rng.permutation(len(vectors))
        sample = np.sort(order[:_SAMPLE])  # in the order in which they lie on the disk
        proposer = begun.trained(vectors[sample], len(vectors), metric)
    known, trials = order[:-TRIALS], order[-TRIALS:]
    for start in range(0, len(known), _STEP):
        step = known[start : start + _STEP]
        proposer.add(vectors[step], step)
        if report is not None:
            report(proposer)
    tune(proposer, vectors[trials], vectors, recall)
    proposer.add(vectors[trials], trials)
    return proposer
