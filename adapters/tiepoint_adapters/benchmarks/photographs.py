"""Distinct, photo-like JPEG files, cut from the photographs that ship with packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tiepoint.errors import MissingDependencyError

WIDTH, HEIGHT = 500, 375
QUALITY = 85

_PHOTOGRAPHS = {
    "skimage": (
        "data/astronaut.png",
        "data/chelsea.png",
        "data/coffee.png",
        "data/motorcycle_left.png",
        "data/rocket.jpg",
        "data/hubble_deep_field.jpg",
    ),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
}


def write_photographs(folder: Path, count: int) -> list[Path]:
    """Write JPEG files of 500x375 pixels: crops, mirrored, shifted in colour, each different.

    Args:
        folder: Where; it exists.
        count: How many.

    Raises:
        MissingDependencyError: scikit-image or scikit-learn is not installed.
    """
    from PIL import Image

    sources = [Image.open(file).convert("RGB") for file in _sources()]
    random = np.random.default_rng(7)
    files = []
    for i in range(count):
        source = sources[i % len(sources)]
        scale = random.uniform(0.5, 1.0) * min(source.width / WIDTH, source.height / HEIGHT)
        width, height = int(WIDTH * scale), int(HEIGHT * scale)
        left = int(random.integers(0, source.width - width + 1))
        top = int(random.integers(0, source.height - height + 1))
        picture = source.crop((left, top, left + width, top + height))
        if random.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float32)
        shifted = pixels * random.uniform(0.85, 1.15, 3) + random.uniform(-12, 12, 3)
        files.append(folder / f"{i:05d}.jpg")
        Image.fromarray(np.clip(shifted, 0, 255).astype(np.uint8)).save(files[-1], quality=QUALITY)
    return files


def _sources() -> list[Path]:
    files = []
    for package, names in _PHOTOGRAPHS.items():
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingDependencyError(
                f"the photographs of {package} are missing",
                hint="Run: pip install scikit-image scikit-learn",
            )
        files += [Path(spec.submodule_search_locations[0]) / name for name in names]
    return files
