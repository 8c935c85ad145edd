"""Further vectors of each image, from changed versions of it, to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field

from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.augmentation import Augmentation, AugmentedEncoder
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.types import IMAGE


class Views(Augmentation):
    """How many changed versions of an image are learned from beside it, and how it is changed.

    Attributes:
        count: Versions of each image; encoding takes so many times longer, once.
    """

    count: int = Field(default=4, ge=1, le=64)


def with_views(
    pairs: PairSet,
    root: Path,
    encoder: Encoder,
    views: Views,
    cache: EmbeddingCache | None,
    progress: Callable[[int, int], None] | None = None,
) -> PairSet:
    """Return pairs with views of their images.

    Args:
        pairs: Their names are the images' paths.
        root: The folder that these are relative to.
        encoder: Of images.
        views: Which.
        cache: Where vectors are looked up and kept.
        progress: Called with the images done, and of how many.

    Raises:
        DecodeError: An image that cannot be read any more.
    """
    paths = [root / name for name in pairs.names[IMAGE]]
    changed = Augmentation.model_validate(views.model_dump(exclude={"count"}))
    made = []
    for number in range(views.count):

        def tell(done: int, before: int = number * len(paths)) -> None:
            if progress is not None:
                progress(before + done, views.count * len(paths))

        view = AugmentedEncoder(encoder, changed, number)
        encoded = encode_parts(view, paths, IMAGE, cache, progress=tell)
        for error in encoded.errors.values():
            raise error
        made.append(encoded.vectors)
    return replace(pairs, views={IMAGE: np.stack(made)})
