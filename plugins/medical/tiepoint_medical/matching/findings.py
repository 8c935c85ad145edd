"""Profiles of findings as vectors, so that they are searched like anything else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tiepoint.encoders.base import Vectors
from tiepoint_medical.knowledge.logic import Status, closure
from tiepoint_medical.knowledge.vocabulary import Vocabulary

_VALUE: dict[Status, float] = {"present": 1.0, "uncertain": 0.5, "absent": -0.5}
_IMPLIED = 0.5
"""How much what merely follows counts, of what is stated."""


class FindingSpace:
    """One dimension a finding: positive where it is present, negative where it is denied.

    The cosine of two profiles is high where they state the same findings; a report that denies
    an effusion has a negative similarity with one that states it, whatever their words.

    Args:
        vocabulary: The findings.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.keys = tuple(sorted(vocabulary.findings))
        self._column = {key: column for column, key in enumerate(self.keys)}

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return len(self.keys)

    def vector(self, profile: Mapping[str, Status]) -> Vectors | None:
        """Return a profile's (dim,) float32 unit vector; None where it says nothing."""
        vector = np.zeros(self.dim, np.float32)
        for key, status in closure(profile, self.vocabulary).items():
            if key in self._column:
                weight = 1.0 if key in profile else _IMPLIED
                vector[self._column[key]] = weight * _VALUE[status]
        length = float(np.linalg.norm(vector))
        return np.asarray(vector / length, np.float32) if length else None

    def expected(self, vectors: Vectors, weights: Vectors) -> Vectors | None:
        """Return what is to be expected of a case by its neighbours' vectors.

        Args:
            vectors: (n, dim) of the neighbours, NaN where one has no findings.
            weights: (n,) how near each is, not negative.
        """
        known = np.isfinite(vectors).all(1) & (weights > 0)
        if not known.any():
            return None
        mean = weights[known] @ vectors[known] / weights[known].sum()
        length = float(np.linalg.norm(mean))
        return np.asarray(mean / length, np.float32) if length > 1e-9 else None
