"""From many pieces to few chapters: neighbours that look alike become one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint_security.storyboard.pieces import Piece


@dataclass(frozen=True, slots=True, eq=False)
class Chapter:
    """Neighbouring pieces."""

    pieces: tuple[Piece, ...]

    @property
    def start_s(self) -> float:
        """When it begins, in seconds from the beginning of the video."""
        return self.pieces[0].start_s

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.pieces[-1].end_s

    def shown(self, sentence: Vectors | None) -> Piece:
        """Return the piece whose frame stands for it.

        Args:
            sentence: (d,) unit vector of the sentence that fits it, to which the piece is
                nearest; None for none: then it is the one in which most moves.
        """
        if sentence is None:
            return max(self.pieces, key=lambda piece: piece.motion)
        return max(self.pieces, key=lambda piece: float(piece.vector @ sentence))

    @property
    def motion(self) -> float:
        """The share of the picture that moves, on average."""
        return float(np.average([p.motion for p in self.pieces], weights=self._lengths))

    @property
    def mean(self) -> Vectors:
        """(d,) the mean of its vectors, weighted by length."""
        stacked = np.stack([piece.vector for piece in self.pieces])
        return np.asarray(np.average(stacked, axis=0, weights=self._lengths), np.float32)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(sum(self._lengths))

    @property
    def _lengths(self) -> list[float]:
        return [max(piece.end_s - piece.start_s, 1e-3) for piece in self.pieces]


def chapters_of(pieces: Sequence[Piece], most: int) -> list[Chapter]:
    """Return at most so many chapters, in the order of time.

    Neighbours are merged whose merging adds least to the squared distances from the chapters'
    means (Ward, 1963, with merges of neighbours only).
    """
    chapters = [Chapter((piece,)) for piece in pieces]
    while len(chapters) > most:
        costs = [_cost(one, two) for one, two in itertools.pairwise(chapters)]
        first = int(np.argmin(costs))
        merged = Chapter(chapters[first].pieces + chapters[first + 1].pieces)
        chapters[first : first + 2] = [merged]
    return chapters


def labelled(
    chapters: Sequence[Chapter], pieces: Sequence[Piece], labels: Vectors
) -> tuple[list[int | None], NDArray[np.float32]]:
    """Return the sentence that fits each chapter, and how well all fit.

    Some sentences are near to everything. What counts is by how much a chapter is nearer to a
    sentence than this footage is on average; where none is nearer, none fits.

    Args:
        chapters: n of them.
        pieces: Of the whole footage.
        labels: (m, d) unit vectors of the sentences in the joint space.

    Returns:
        For each chapter the number of the sentence or None, and (n, m) the differences of the
        cosine similarity.
    """
    ordinary = np.stack([piece.vector for piece in pieces]) @ labels.T
    means = np.stack([chapter.mean for chapter in chapters])
    gains = np.asarray(means @ labels.T - ordinary.mean(0), np.float32)
    best = gains.argmax(1)
    return [int(n) if gains[row, n] > 0 else None for row, n in enumerate(best)], gains


def _cost(one: Chapter, two: Chapter) -> float:
    distance = float(((one.mean - two.mean) ** 2).sum())
    return one.seconds * two.seconds / (one.seconds + two.seconds) * distance
