"""From pairs of files and texts to pairs of vectors, through the embedding cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiepoint.alignment.pair_files import Pair
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.cache import EmbeddingCache
from tiepoint.encoders.pipeline import Encoded, encode_parts
from tiepoint.errors import InputError
from tiepoint.types import IMAGE, TEXT, Modality, Skipped

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class EncodedPairs:
    """Vectors of pairs, and what could not be used.

    Attributes:
        pairs: The vectors and links; names are the images' paths as written, and the texts.
        skipped: Images and texts that were left out.
        encoded: Parts that went through an encoder.
        cached: Parts whose vector was known.
    """

    pairs: PairSet
    skipped: tuple[Skipped, ...]
    encoded: int
    cached: int


def encode_pairs(
    pairs: Sequence[Pair],
    root: Path,
    encoders: Mapping[Modality, Encoder],
    cache: EmbeddingCache | None,
    *,
    strict: bool = False,
    progress: Progress | None = None,
) -> EncodedPairs:
    """Encode the images and texts of pairs; an image is encoded once, a text row by row.

    Args:
        pairs: The pairs.
        root: The folder that the images' paths are relative to.
        encoders: For `image` and `text`.
        cache: Where vectors are looked up and kept.
        strict: Whether a part that cannot be read raises; otherwise its pairs are left out.
        progress: Called with the parts done, and of how many.

    Raises:
        DecodeError: In strict mode, a part that cannot be read.
        InputError: An encoder is missing, or no pair is left.
    """
    for modality in (IMAGE, TEXT):
        if modality not in encoders:
            raise InputError(
                f"there is no encoder for {modality}",
                where="alignment.encoders",
                hint="Name one for image and one for text.",
            )
    names = list(dict.fromkeys(pair.image for pair in pairs))
    position = {name: row for row, name in enumerate(names)}
    parts = {
        IMAGE: [str(root / name) for name in names],
        TEXT: [pair.text for pair in pairs],
    }
    made: dict[Modality, Encoded] = {}
    before, total = 0, len(names) + len(pairs)
    for modality, given in parts.items():

        def tell(done: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, total)

        made[modality] = encode_parts(encoders[modality], given, modality, cache, progress=tell)
        before += len(given)
    skipped = _skipped(made, pairs, strict)
    links = np.array([[position[pair.image], row] for row, pair in enumerate(pairs)], np.int64)
    good = np.array(
        [
            image not in made[IMAGE].errors and text not in made[TEXT].errors
            for image, text in links.tolist()
        ]
    )
    if not good.any():
        raise InputError(
            f"none of the {len(pairs)} pairs can be used; the first: {skipped[0].reason}",
            where=skipped[0].where,
            hint="Check --root.",
        )
    return EncodedPairs(
        _pair_set(pairs, names, made, links[good]),
        tuple(skipped),
        sum(one.encoded for one in made.values()),
        sum(one.cached for one in made.values()),
    )


def _skipped(
    made: Mapping[Modality, Encoded], pairs: Sequence[Pair], strict: bool
) -> list[Skipped]:
    skipped = []
    for modality, encoded in made.items():
        for row, error in encoded.errors.items():
            if strict:
                raise error
            where = error.where or (pairs[row].text[:40] if modality == TEXT else str(row))
            skipped.append(Skipped(where, error.what))
    return skipped


def _pair_set(
    pairs: Sequence[Pair],
    names: Sequence[str],
    made: Mapping[Modality, Encoded],
    links: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> PairSet:
    """Keep the rows that a link names."""
    clean = {m: np.nan_to_num(encoded.vectors) for m, encoded in made.items()}
    return PairSet(
        clean,
        links,
        tuple(pair.language for pair in pairs),
        {IMAGE: tuple(names), TEXT: tuple(pair.text for pair in pairs)},
    ).of_links(links)
