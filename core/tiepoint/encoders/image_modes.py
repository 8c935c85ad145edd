"""Every kind of pixel that a picture may have, as upright 8-bit sRGB."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from tiepoint.errors import DecodeError

WHITE = 255


def array_to_rgb(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return an array of pixels as (h, w, 3) uint8; alpha is put on white.

    Args:
        array: (h, w), (h, w, 1), (h, w, 3) or (h, w, 4): uint8, uint16 (65535 is white), bool,
            or float in [0, 1].

    Raises:
        DecodeError: Another shape or dtype, no pixels, or floats outside [0, 1].
    """
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in {1, 3, 4} or not array.size:
        raise DecodeError(
            f"an array of shape {array.shape} is not a picture",
            hint="Give (height, width), or (height, width, 3 or 4).",
        )
    levels = _eight_bits(array)
    if levels.shape[2] == 4:
        return _on_white(levels)
    if levels.shape[2] == 1:
        return np.repeat(levels, 3, axis=2)
    return np.ascontiguousarray(levels)


def _eight_bits(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(WHITE)
    if np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float32)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise DecodeError(
                "an array of floats has values outside 0 to 1",
                hint="Scale it, or give it as uint8.",
            )
        return np.rint(values * WHITE).astype(np.uint8)
    raise DecodeError(
        f"an array of {array.dtype} is not a picture", hint="Give uint8, uint16 or float in 0 to 1."
    )


def _on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[:, :, 3:].astype(np.uint32)
    blended = rgba[:, :, :3] * alpha + WHITE * (WHITE - alpha)
    return ((blended + WHITE // 2) // WHITE).astype(np.uint8)


def image_to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return the first frame of a PIL image, upright, as (h, w, 3) uint8 in sRGB.

    16-bit grey is scaled from 0..65535; 32-bit integers and floats, which have no fixed white,
    from their least to their greatest value. CMYK without a profile is converted plainly.
    """
    if image.mode.startswith("I;16"):
        grey = np.asarray(image)
        pixels = array_to_rgb(grey.astype(np.uint16))
    elif image.mode in {"I", "F"}:
        pixels = array_to_rgb(_stretched(np.asarray(image, np.float64)))
    else:
        pixels = np.asarray(_to_mode_rgb(image))
        if pixels.shape[2] == 4:
            pixels = _on_white(pixels)
    return np.ascontiguousarray(upright(pixels, orientation(image)))


def _stretched(values: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise DecodeError("the picture has no finite value", hint="Replace it.")
    low, high = float(finite.min()), float(finite.max())
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1.0)
    return np.clip(scaled, 0.0, 1.0)


def _to_mode_rgb(image: Image.Image) -> Image.Image:
    """Return the image in mode RGB, or RGBA where parts of it are transparent."""
    target = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode in {"P", "PA", "1", "LA", "La", "RGBa"} or (
        target == "RGBA" and image.mode != "RGBA"
    ):
        image = image.convert(target)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply(image)
    transform = _to_srgb(image, target)
    if transform is not None:
        image.load()
        return transform.apply(image)
    return image if image.mode == target else image.convert(target)


def is_plain_rgb(image: Image.Image) -> bool:
    """Tell whether the image's channels are those of sRGB already."""
    return image.mode == "RGB" and not image.has_transparency_data and _to_srgb(image) is None


def _to_srgb(image: Image.Image, target: str = "RGB") -> ImageCms.ImageCmsTransform | None:
    """Return the transform that the image's profile asks for, if any."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or image.mode not in {"RGB", "RGBA", "L", "CMYK"}:
        return None
    try:
        return _transform(profile, image.mode, target)
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A profile that cannot be used (damaged, or of another colour model) is what viewers
        # ignore too.
        return None


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str, target: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB, or None where the profile is sRGB already.

    Raises:
        PyCMSError: The profile is damaged, or is not one for this mode.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    description = ImageCms.getProfileDescription(source).strip().lower()
    # "c2" is the compact sRGB profile that large sites embed.
    if mode != "CMYK" and description.startswith(("srgb", "c2")):
        return None
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, target)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where the EXIF block is missing or damaged."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):
        # The pixels are whole, so a damaged block of remarks is no reason to refuse them.
        return 1
    return value if value in range(1, 9) else 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (EXIF 2.32, tag 0x0112)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return pixels
