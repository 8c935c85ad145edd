"""Frames as they are meant to be looked at: 8-bit grey or RGB, with square pixels.

Grey goes through the Modality LUT, then the VOI LUT or window, and only then is it inverted
(PS3.3 C.7.6.3.1.2, C.11.1, C.11.2, C.11.6; PS3.4 N.2); padding is black.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DecodeError
from tiepoint_adapters.dicom.attributes import frame_attributes
from tiepoint_adapters.dicom.grey import grey_levels
from tiepoint_adapters.dicom.pixels import frames
from tiepoint_adapters.dicom.reading import DicomObject
from tiepoint_adapters.dicom.values import DAMAGE, number_of, text_of

Picture = NDArray[np.uint8]

MAX_ASPECT = 8.0
"""Pixels that are longer than this are taken for a mistake, and shown square."""


def render(part: DicomObject, index: int = 0, window: int = 0) -> Picture:
    """Return a frame as it is meant to be looked at: (h, w) or (h, w, 3) uint8.

    Args:
        part: An object with pixels.
        index: Which frame, from 0.
        window: Which of several VOI LUTs or windows, from 0.

    Raises:
        DecodeError: See `frames`; or the header contradicts itself.
    """
    return next(rendered(part, [index], window))


def rendered(
    part: DicomObject, indices: Sequence[int] | None = None, window: int = 0
) -> Iterator[Picture]:
    """Yield frames as `render` returns them, without opening the object again for each.

    Args:
        part: An object with pixels.
        indices: Which frames, from 0; all if not given.
        window: Which of several VOI LUTs or windows, from 0.

    Raises:
        DecodeError: See `render`.
    """
    numbers = range(part.frames) if indices is None else indices
    for index, stored in zip(numbers, frames(part, indices), strict=True):
        try:
            attributes = frame_attributes(part.dataset, index)
            yield _square(_levels(part.dataset, attributes, stored, window), attributes)
        except DecodeError:
            raise
        except DAMAGE as error:
            raise DecodeError(
                f"the header contradicts the pixels ({type(error).__name__})", where=part.where
            ) from error


def _levels(dataset: Any, attributes: Any, stored: NDArray[np.generic], window: int) -> Picture:
    photometric = text_of(dataset, "PhotometricInterpretation") or "MONOCHROME2"
    if photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        return _eight_bits(apply_color_lut(stored, dataset)[..., :3], palette_bits(dataset))
    if stored.ndim == 3:
        return _eight_bits(stored, number_of(dataset, "BitsStored") or 8)
    return grey_levels(stored, dataset, attributes, window)


def palette_bits(dataset: Any) -> int:
    """Return the bits of a palette's entries, 8 or 16.

    The descriptor is not always right: a palette of 16-bit words whose values all fit into
    8 bits is one of 8 bits.
    """
    bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
    return 16 if bits > 8 else 8


def _eight_bits(colours: NDArray[Any], bits: int) -> Picture:
    if bits == 8 and colours.dtype == np.uint8:
        return np.ascontiguousarray(colours)
    white = float(2**bits - 1)
    return np.rint(np.clip(colours / white, 0, 1) * 255).astype(np.uint8)


def _square(picture: Picture, attributes: Any) -> Picture:
    """Stretch the shorter side of pixels that are not square."""
    tall = _aspect(attributes)
    if abs(tall - 1) < 0.01 or not 1 / MAX_ASPECT <= tall <= MAX_ASPECT:
        return picture
    from PIL import Image

    height, width = picture.shape[:2]
    size = (width, round(height * tall)) if tall > 1 else (round(width / tall), height)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _aspect(attributes: Any) -> float:
    """Return the height of a pixel by its width (PS3.3 C.7.6.3.1.7)."""
    for keyword in (
        "PixelSpacing",
        "ImagerPixelSpacing",
        "NominalScannedPixelSpacing",
        "PixelAspectRatio",
    ):
        value = attributes.get(keyword)
        try:
            height, width = (float(number) for number in value)
        except (TypeError, ValueError):
            continue
        if height > 0 and width > 0:
            return height / width
    return 1.0
