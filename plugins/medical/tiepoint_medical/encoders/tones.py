"""How dark and bright a picture is: what networks that normalise their input forget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.images import read_image
from tiepoint.types import IMAGE, Modality

_LEAST_SIDE = 256


class TonesEncoder(Encoder):
    """Pictures to the histogram of their grey values in 16 bins (entry point `tones`).

    It tells exposure, window, collimation and burned-in margins, so it knows how and where a
    picture was made as much as what it shows.
    """

    modalities = (IMAGE,)
    dim = 16
    fingerprint = f"tones-1-{dim}"

    def prepare(self, part: Any, modality: Modality | None = None) -> NDArray[np.float64]:
        grey = np.asarray(read_image(part, _LEAST_SIDE), np.float64).mean(-1)
        counts, _ = np.histogram(grey, self.dim, (0, 256))
        return np.asarray(counts / grey.size, np.float64)

    def infer(
        self, prepared: Sequence[NDArray[np.float64]], modality: Modality | None = None
    ) -> Vectors:
        found = np.array(prepared, np.float32).reshape(-1, self.dim)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)
