"""Privacy masks: what they cover is black in every frame that leaves the decoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tiepoint.encoders.images import Pixels
from tiepoint_adapters.media.cameras.options import Polygon


class PrivacyMasks:
    """Polygons, drawn once for each size of picture.

    Args:
        polygons: Their corners, as parts of width and height.
    """

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self.polygons = tuple(polygons)
        self._size: tuple[int, int] | None = None
        self._pieces: list[tuple[tuple[slice, slice], NDArray[np.bool_]]] = []

    def burn_in(self, pixels: Pixels) -> None:
        """Make what is covered black, in place.

        Args:
            pixels: (h, w, 3) uint8.
        """
        if not self.polygons:
            return
        size = (pixels.shape[0], pixels.shape[1])
        if size != self._size:
            self._pieces = [_drawn(polygon, *size) for polygon in self.polygons]
            self._size = size
        for place, covered in self._pieces:
            pixels[place][covered] = 0


def _drawn(
    polygon: Polygon, height: int, width: int
) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """Return the rectangle around a polygon, and which of its pixels are covered.

    Pixels on the edge are covered: a mask that is a pixel too large shows nothing.
    """
    corners = [(x * width, y * height) for x, y in polygon]
    image = Image.new("1", (width, height))
    draw = ImageDraw.Draw(image)
    draw.polygon(corners, fill=1, outline=1, width=3)
    covered = np.asarray(image)
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    place = (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
    return place, np.array(covered[place])
