"""Two aligners in one: the second has more say the less a vector is like the training pairs."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tiepoint.alignment.ensemble import EnsembleAligner, EnsembleOptions, Member
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality

_STEEPNESS = 10.0
"""Of the passage between usual and unusual, around what one in a hundred vectors reaches."""


class FallbackOptions(EnsembleOptions):
    """Options of `FallbackAligner`.

    Attributes:
        members: The aligner, which standardises its inputs, and the one to fall back on; their
            weights hold for what is like the training pairs.
        unfamiliar: The second one's weight for what is unlike them.
    """

    members: tuple[Member, ...] = Field(min_length=2, max_length=2)
    unfamiliar: float = Field(default=2.0, gt=0, allow_inf_nan=False)


class FallbackAligner(EnsembleAligner):
    """An ensemble of two, whose weights depend on each vector.

    What was learned from pairs does not hold for pictures and sentences of another kind; an
    aligner that learned nothing from them does. A vector's own length, standardised, tells
    whether it is of the kind (see `Inputs.unusual`), so that every item and every query brings
    its weights along, in one vector.
    """

    method = "fallback"
    Options = FallbackOptions
    options: FallbackOptions

    def weights(self, modality: Modality, x: Vectors) -> Vectors:
        first, second = self.options.members
        unusual = self.members[0].unusual(modality, x)
        passed = 1 / (1 + np.exp(-_STEEPNESS * np.clip(unusual - 1, -5, 5)))
        share = _share(second.weight, first.weight)
        share += passed * (_share(self.options.unfamiliar, first.weight) - share)
        return np.stack([1 - share, share], 1).astype(np.float32)


def _share(weight: float, other: float) -> float:
    return weight / (weight + other)
