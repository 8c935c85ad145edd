"""From pairs of files and texts to pairs of vectors, through the embedding cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
    unpaired: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> EncodedPairs:
    """Encode the images and texts of pairs; an image is encoded once, a text row by row.

    Args:
        pairs: The pairs; some may be without an image or without a text.
        root: The folder that the images' paths are relative to.
        encoders: For `image` and `text`.
        cache: Where vectors are looked up and kept.
        unpaired: Whether images and texts without a partner are kept.
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
    names = list(dict.fromkeys(pair.image for pair in pairs if pair.image))
    told = [pair for pair in pairs if pair.text]
    parts = {IMAGE: [str(root / name) for name in names], TEXT: [pair.text for pair in told]}
    made: dict[Modality, Encoded] = {}
    before, total = 0, len(names) + len(told)
    for modality, given in parts.items():

        def tell(done: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, total)

        made[modality] = encode_parts(encoders[modality], given, modality, cache, progress=tell)
        before += len(given)
    skipped = _skipped(made, told, strict)
    links = _links(names, told, made)
    if not len(links):
        first = f"; the first: {skipped[0].reason}" if skipped else ""
        raise InputError(
            f"none of the {len(pairs)} pairs can be used{first}",
            where=skipped[0].where if skipped else None,
            hint="Check --root.",
        )
    vectors = {m: encoded.vectors[_usable(encoded)] for m, encoded in made.items()}
    named = {
        IMAGE: tuple(np.array(names)[_usable(made[IMAGE])].tolist()),
        TEXT: tuple(told[row].text for row in np.flatnonzero(_usable(made[TEXT]))),
    }
    languages = tuple(told[row].language for row in np.flatnonzero(_usable(made[TEXT])))
    kept = PairSet(vectors, links, languages, named)
    return EncodedPairs(
        kept if unpaired else kept.of_links(kept.links),
        tuple(skipped),
        sum(one.encoded for one in made.values()),
        sum(one.cached for one in made.values()),
    )


def _usable(encoded: Encoded) -> NDArray[np.bool_]:
    usable = np.ones(len(encoded.vectors), bool)
    usable[list(encoded.errors)] = False
    return usable


def _links(
    names: Sequence[str], told: Sequence[Pair], made: Mapping[Modality, Encoded]
) -> NDArray[np.int64]:
    """Return the links between usable parts, by their rows among the usable ones."""
    position = {name: row for row, name in enumerate(names)}
    all_links = np.array(
        [[position[pair.image], row] for row, pair in enumerate(told) if pair.image], np.int64
    ).reshape(-1, 2)
    usable = [_usable(made[m]) for m in (IMAGE, TEXT)]
    good = usable[0][all_links[:, 0]] & usable[1][all_links[:, 1]]
    rows = [np.cumsum(one) - 1 for one in usable]
    return np.stack([rows[c][all_links[good, c]] for c in (0, 1)], 1).astype(np.int64)


def _skipped(made: Mapping[Modality, Encoded], told: Sequence[Pair], strict: bool) -> list[Skipped]:
    skipped = []
    for modality, encoded in made.items():
        for row, error in encoded.errors.items():
            if strict:
                raise error
            where = error.where or (told[row].text[:40] if modality == TEXT else str(row))
            skipped.append(Skipped(where, error.what))
    return skipped
