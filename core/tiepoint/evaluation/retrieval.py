"""The retrieval protocol: full gallery, rank of the first positive, ties counted against us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.errors import InputError

CUTOFFS = (1, 5, 10)
_ROWS_AT_ONCE = 1024

Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Retrieval:
    """Ranks in both directions, and the figures that follow from them.

    Attributes:
        i2t_rank: (n_images,) 0-based rank of the first positive of each image.
        t2i_rank: (n_texts,) 0-based rank of the first positive of each text.
    """

    i2t_rank: Ranks
    t2i_rank: Ranks

    @property
    def rsum(self) -> float:
        """The sum of R@1, R@5 and R@10 in both directions, 0 to 600."""
        return sum(recalls(self.i2t_rank).values()) + sum(recalls(self.t2i_rank).values())

    def as_dict(self) -> dict[str, Any]:
        """Return the figures in the documented shape of `tiepoint align eval --json`."""
        return {
            "i2t": recalls(self.i2t_rank),
            "t2i": recalls(self.t2i_rank),
            "rsum": self.rsum,
            "n_images": len(self.i2t_rank),
            "n_texts": len(self.t2i_rank),
        }


def recalls(ranks: Ranks) -> dict[str, float]:
    """Return R@1, R@5 and R@10 in percent.

    >>> recalls(np.array([0, 3, 20, 0]))
    {'R@1': 50.0, 'R@5': 75.0, 'R@10': 75.0}
    """
    return {f"R@{k}": float(100.0 * np.mean(ranks < k)) for k in CUTOFFS}


def evaluate(images: Vectors, texts: Vectors, links: NDArray[np.int64]) -> Retrieval:
    """Return the ranks of a gallery by inner product.

    Args:
        images: (n_images, d) float32 joint vectors; of any first modality, in fact.
        texts: (n_texts, d) float32 joint vectors.
        links: (n_links, 2) int64, which image and text belong together; every row has one.

    Raises:
        InputError: An image or a text without a partner.
    """
    return Retrieval(
        _ranks(images, texts, links, "image"), _ranks(texts, images, links[:, ::-1], "text")
    )


def ranks_of_scores(scores: Vectors, positives: NDArray[np.bool_]) -> Ranks:
    """Return the 0-based rank of the best positive in each row, ties counted against it.

    Args:
        scores: (n_queries, n_gallery) similarities.
        positives: (n_queries, n_gallery) which of them are right; at least one in each row.
    """
    best = np.where(positives, scores, -np.inf).max(1, keepdims=True)
    return np.asarray(((scores >= best) & ~positives).sum(1), np.int64)


def _ranks(queries: Vectors, gallery: Vectors, links: NDArray[np.int64], what: str) -> Ranks:
    lonely = np.setdiff1d(np.arange(len(queries)), links[:, 0])
    if len(lonely):
        raise InputError(f"{len(lonely)} of {len(queries)} {what} queries have no partner")
    found = []
    for start in range(0, len(queries), _ROWS_AT_ONCE):
        scores = queries[start : start + _ROWS_AT_ONCE] @ gallery.T
        positives = np.zeros(scores.shape, bool)
        of_these = (links[:, 0] >= start) & (links[:, 0] < start + len(scores))
        positives[links[of_these, 0] - start, links[of_these, 1]] = True
        found.append(ranks_of_scores(scores, positives))
    return np.concatenate(found)
