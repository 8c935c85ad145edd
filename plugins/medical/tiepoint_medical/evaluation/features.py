"""The vectors of cases: of their images, their tones and their reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.encoders.pipeline import encode_parts
from tiepoint.errors import InputError
from tiepoint.types import IMAGE, TEXT
from tiepoint_medical.encoders.tones import TonesEncoder
from tiepoint_medical.evaluation.cases import Case

_MOST_SKIPPED = 0.1
"""Share of the images that may be unreadable."""


@dataclass(frozen=True)
class Features:
    """Cases as vectors; all arrays have a row a case.

    Attributes:
        cases: The cases whose image could be read.
        images: (n, d) float32 unit vectors.
        texts: (n, e) float32 unit vectors.
        tones: (n, t) float32 unit vectors, of how dark and bright the images are.
        skipped: Why other images could not be read.
    """

    cases: tuple[Case, ...]
    images: Vectors
    texts: Vectors
    tones: Vectors
    skipped: tuple[str, ...] = ()

    @property
    def groups(self) -> NDArray[np.str_]:
        """(n,) the patients."""
        return np.array([case.group for case in self.cases])


def features_of(
    cases: Sequence[Case],
    image_encoder: Encoder,
    text_encoder: Encoder,
    progress: Callable[[int, int], None] | None = None,
) -> Features:
    """Encode cases, through the cache of embeddings.

    Args:
        cases: The cases.
        image_encoder: Of the images.
        text_encoder: Of the reports.
        progress: Called with the parts done, and of how many.

    Raises:
        InputError: More than a tenth of the images cannot be read.
    """
    texts = list(dict.fromkeys(case.text for case in cases))
    total = 2 * len(cases) + len(texts)

    def told(before: int) -> Callable[[int], None]:
        return lambda done: None if progress is None else progress(before + done, total)

    cache = EmbeddingCache()
    try:
        paths = [case.path for case in cases]
        images = encode_parts(image_encoder, paths, IMAGE, cache, progress=told(0))
        words = encode_parts(text_encoder, texts, TEXT, cache, progress=told(len(cases)))
        tones = encode_parts(TonesEncoder(), paths, IMAGE, cache, progress=told(total - len(cases)))
    finally:
        cache.close()
    if len(images.errors) > _MOST_SKIPPED * len(cases):
        first = next(iter(images.errors.values()))
        raise InputError(
            f"{len(images.errors)} of {len(cases)} images cannot be read; the first: {first.what}",
            where=first.where,
            hint="Check --root.",
        )
    by_text = {text: row for row, text in enumerate(texts)}
    kept = [row for row in range(len(cases)) if row not in images.errors]
    rows = [by_text[cases[row].text] for row in kept]
    return Features(
        tuple(cases[row] for row in kept),
        images.vectors[kept],
        words.vectors[rows],
        tones.vectors[kept],
        tuple(f"{cases[row].image}: {error.what}" for row, error in images.errors.items()),
    )
