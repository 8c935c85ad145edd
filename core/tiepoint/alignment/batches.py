"""Batches of links for contrastive training: each step takes some links of every group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.pairs import PairSet, Rows


class LinkBatches:
    """Random batches of links, the same for the same seed and epoch.

    Links come in groups (by language, say). A step takes a batch of every group; an epoch
    sees every link of the largest group, and smaller groups go round again.

    Args:
        groups: (n_g, 2) links of each group.
        size: Links of one group in a batch, at most.
        seed: Of the order.
    """

    def __init__(self, groups: Sequence[Rows], size: int, seed: int) -> None:
        self.groups = groups
        self.size = min(size, min(len(links) for links in groups))
        self.seed = seed
        self.steps = max(len(links) for links in groups) // self.size

    def epoch(self, number: int) -> Iterator[list[Rows]]:
        """Yield the (size, 2) links of every group, step by step."""
        random = np.random.default_rng([self.seed, number])
        orders = [self._order(links, random) for links in self.groups]
        for step in range(self.steps):
            taken = slice(step * self.size, (step + 1) * self.size)
            yield [links[order[taken]] for links, order in zip(self.groups, orders, strict=True)]

    def _order(self, links: Rows, random: np.random.Generator) -> Rows:
        """Return positions of links, as many as the epoch needs, each round in a new order.

        Links of one row of the first modality are spread over the round, so that a batch
        seldom holds two of them: they would take the place of negatives.
        """
        rounds = -(-self.steps * self.size // len(links))
        return np.concatenate([_spread(links[:, 0], random) for _ in range(rounds)])


def _spread(rows: Rows, random: np.random.Generator) -> Rows:
    """Return a random order of positions in which equal rows are far from each other."""
    shuffled = random.permutation(len(rows))
    grouped = shuffled[np.argsort(rows[shuffled], kind="stable")]
    sorted_rows = rows[grouped]
    starts = np.flatnonzero(np.r_[True, sorted_rows[1:] != sorted_rows[:-1]])
    counts = np.diff(np.r_[starts, len(rows)])
    occurrence = np.arange(len(rows)) - np.repeat(starts, counts)
    return np.asarray(grouped[np.lexsort((random.random(len(rows)), occurrence))], np.int64)


def positives(links: Rows) -> NDArray[np.bool_]:
    """Return (n, n) which first row of a batch belongs to which second row of it.

    Two links of a batch are each other's positives where they share either row.
    """
    same_first = links[:, 0][:, None] == links[:, 0][None]
    same_second = links[:, 1][:, None] == links[:, 1][None]
    return np.asarray(same_first | same_second, np.bool_)


def by_language(pairs: PairSet) -> list[Rows]:
    """Return the links of each language: a batch compares texts of one language only.

    Texts of different languages lie apart, and telling them from each other would be an easy
    task that teaches nothing.
    """
    names = sorted(set(pairs.languages))
    if len(names) < 2:
        return [pairs.links]
    languages = np.array(pairs.languages)[pairs.links[:, 1]]
    return [pairs.links[languages == name] for name in names]
