"""Which parts of an image made it resemble another case."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder
from tiepoint.encoders.images import read_image
from tiepoint.types import IMAGE

CAVEAT = (
    "The map shows what the encoder reacted to, not where a disease is; covering a region also"
    " changes the image in ways that no patient does."
)


def occlusion(
    encoder: Encoder, image: Any, target: NDArray[np.float32], cells: int = 7
) -> NDArray[np.float32]:
    """Return by how much the cosine with a case falls when a region is covered.

    Args:
        encoder: Of images.
        image: The query, as encoders take it.
        target: (d,) unit vector of the case's image.
        cells: Regions along each side; each is covered with the image's mean (Zeiler and
            Fergus, ECCV 2014).

    Returns:
        (cells, cells) float32; positive where the region speaks for the resemblance.
    """
    pixels = read_image(image)
    height, width = pixels.shape[:2]
    mean = pixels.mean((0, 1)).astype(np.uint8)
    covered = []
    for row in range(cells):
        for column in range(cells):
            copy = pixels.copy()
            top, bottom = row * height // cells, (row + 1) * height // cells
            left, right = column * width // cells, (column + 1) * width // cells
            copy[top:bottom, left:right] = mean
            covered.append(copy)
    vectors = encoder.encode([pixels, *covered], IMAGE)
    cosines = vectors @ target
    return np.asarray((cosines[0] - cosines[1:]).reshape(cells, cells), np.float32)


def heat_map(image: Any, drops: NDArray[np.float32]) -> bytes:
    """Return a PNG of the image with the regions that speak for the resemblance in red."""
    from PIL import Image

    grey = np.asarray(read_image(image), np.float32).mean(-1)
    strength = np.maximum(drops, 0) / max(float(drops.max()), 1e-9)
    scaled = Image.fromarray((strength * 255).astype(np.uint8)).resize(
        (grey.shape[1], grey.shape[0]), Image.Resampling.BICUBIC
    )
    heat = np.asarray(scaled, np.float32)[..., None] / 255
    colours = grey[..., None] * (1 - 0.5 * heat) + np.array([255, 0, 0], np.float32) * 0.5 * heat
    content = io.BytesIO()
    Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(content, "PNG")
    return content.getvalue()
