"""What the demo does to a picture before it searches with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL import Image, ImageFilter, ImageOps

Change = Callable[[Image.Image], Image.Image]


def _crop(image: Image.Image) -> Image.Image:
    """The middle 60 per cent of each side."""
    width, height = image.size
    left, top = round(width * 0.2), round(height * 0.2)
    return image.crop((left, top, width - left, height - top))


def _rotate(image: Image.Image) -> Image.Image:
    return image.rotate(15, resample=Image.Resampling.BICUBIC)


def _grey(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("RGB")


def _blur(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(max(image.size) / 100))


def _small(image: Image.Image) -> Image.Image:
    return image.resize((96, 96), Image.Resampling.LANCZOS)


CHANGES: Mapping[str, Change] = {
    "another view": lambda image: image,
    "crop": _crop,
    "mirror": ImageOps.mirror,
    "rotate": _rotate,
    "grey": _grey,
    "blur": _blur,
    "small": _small,
}
"""What can be done, by the name that `queries.json` gives it."""


def changed(path: str, change: str) -> Image.Image:
    """Return a picture as RGB after one of `CHANGES`."""
    with Image.open(path) as image:
        return CHANGES[change](ImageOps.exif_transpose(image).convert("RGB"))
