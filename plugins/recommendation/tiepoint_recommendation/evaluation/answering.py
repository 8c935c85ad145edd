"""The answers of systems to the queries of a split."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.evaluation.figures import Answers
from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.ranking import closed, top
from tiepoint_recommendation.splits import Split

Scorer: TypeAlias = Callable[[Histories], Floats]
"""Returns (n, n_items) scores of n histories."""

LISTED = 20
_CHUNK = 512


def answer(split: Split, scorer: Scorer, offered: NDArray[np.bool_]) -> Answers:
    """Rank the whole gallery for every query, without what the user has met.

    Args:
        split: The queries.
        scorer: The system.
        offered: (n_items,) bool, what the catalogue has.
    """
    ranks: list[NDArray[np.int64]] = []
    lists = []
    gallery = split.gallery & offered
    for part in split.asked.chunks(_CHUNK):
        total = closed(np.array(scorer(part), np.float32), part, gallery)
        for row in total:
            wanted = split.wanted[len(ranks)]
            own = row[wanted]
            better = (row[None, :] >= own[:, None]).sum(axis=1) - 1
            # An item that is not ranked at all (it is not in the catalogue) is never found.
            found = np.where(np.isfinite(own), better, len(row))
            ranks.append(_distinct(found.astype(np.int64), own))
        lists.append(top(total, LISTED)[0])
    listed = np.concatenate(lists) if lists else np.zeros((0, LISTED), np.int64)
    return Answers(ranks, listed)


def _distinct(ranks: NDArray[np.int64], scores: Floats) -> NDArray[np.int64]:
    """Return ranks in which relevant items of one score do not stand at the same place."""
    order = np.lexsort((scores, ranks))[::-1]
    fixed = ranks.copy()
    taken = np.iinfo(np.int64).max
    for at in order:
        fixed[at] = min(fixed[at], taken - 1)
        taken = int(fixed[at])
    return fixed
