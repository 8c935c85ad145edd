"""Where edges run in a picture: a description that photographs' networks do not give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.images import read_image, resize_image
from tiepoint.types import IMAGE, Modality

_SIDE = 128
_CELL = 16
_DIRECTIONS = 9
_BLOCK = 2


class EdgesEncoder(Encoder):
    """Pictures to histograms of oriented gradients (entry point `edges`).

    The grey picture is squashed to 128 x 128 pixels; the directions of its edges are counted in
    9 bins in cells of 16 x 16, each normalised among its neighbours (Dalal and Triggs, CVPR
    2005). It says how the thorax lies in the picture, and costs under a millisecond.
    """

    modalities = (IMAGE,)
    dim = (_SIDE // _CELL - _BLOCK + 1) ** 2 * _BLOCK**2 * _DIRECTIONS
    fingerprint = f"edges-1-{_SIDE}-{_CELL}-{_DIRECTIONS}-{_BLOCK}"

    def prepare(self, part: Any, modality: Modality | None = None) -> NDArray[np.float64]:
        pixels = resize_image(read_image(part, 2 * _SIDE), (_SIDE, _SIDE))
        return np.asarray(np.asarray(pixels, np.float64).mean(-1) / 255)

    def infer(
        self, prepared: Sequence[NDArray[np.float64]], modality: Modality | None = None
    ) -> Vectors:
        from skimage.feature import hog

        found = np.array(
            [
                hog(picture, _DIRECTIONS, (_CELL, _CELL), (_BLOCK, _BLOCK)) + 1e-6
                for picture in prepared
            ],
            np.float32,
        ).reshape(-1, self.dim)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)
