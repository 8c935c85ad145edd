"""What every aligner checks at its door and before a fit, and the unit norm at its exit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import FingerprintError, InputError, SchemaError
from tiepoint.types import Modality


def checked_vectors(
    encoders: Mapping[Modality, Encoder], modality: Modality, x: Vectors
) -> Vectors:
    """Return x as (n, d_in) float32, if it can be vectors of the modality's encoder.

    Raises:
        SchemaError: The modality is not aligned, the shape is wrong, or a value is not finite.
    """
    encoder = encoders.get(modality)
    if encoder is None:
        raise SchemaError(
            f"the modality {modality!r} is not aligned",
            hint=f"Aligned are: {', '.join(sorted(encoders))}.",
        )
    vectors = np.asarray(x, np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != encoder.dim:
        raise SchemaError(
            f"{modality} vectors must have the shape (n, {encoder.dim}), not {vectors.shape}",
            hint="Use the encoder that the aligner was made for.",
        )
    if not np.isfinite(vectors).all():
        raise SchemaError(f"{modality} vectors must be finite")
    return vectors


def unit_rows(x: Vectors) -> Vectors:
    """Return the rows of (n, d) float32 at length 1; a zero row becomes the first axis.

    A row without direction still needs one of unit length: all such rows get the same.
    """
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    lost = norms[:, 0] < np.finfo(np.float32).tiny
    unit = x / np.where(lost[:, None], 1.0, norms)
    unit[lost] = 0.0
    unit[lost, 0] = 1.0
    return np.ascontiguousarray(unit, np.float32)


def check_dimensions(pairs: PairSet, encoders: Mapping[Modality, Encoder], role: str) -> None:
    """Refuse pairs whose vectors cannot be the encoders'.

    Raises:
        InputError: A modality without an encoder.
        FingerprintError: Vectors of another length.
    """
    for modality, x in pairs.vectors.items():
        encoder = encoders.get(modality)
        if encoder is None:
            raise InputError(
                f"the {role} pairs have {modality}, which has no encoder",
                hint=f"There are encoders for {', '.join(encoders)}.",
            )
        if x.shape[1] != encoder.dim:
            raise FingerprintError(
                f"the {role} pairs have {modality} vectors of length {x.shape[1]}, and the"
                f" encoder's have {encoder.dim}",
                hint="Encode the pairs with this encoder.",
            )


def check_variety(pairs: PairSet) -> None:
    """Refuse pairs that are one and the same.

    Raises:
        InputError: There is one pair, or all have the same image, or the same text.
    """
    if len(pairs.links) == 1:
        raise InputError("there is one pair only", hint="Give some hundreds at least.")
    for modality, x in zip(pairs.modalities, pairs.linked(), strict=True):
        if (x == x[0]).all():
            raise InputError(
                f"all {len(x)} pairs have the same {modality}",
                hint="Give pairs that differ; some hundreds at least.",
            )


def check_amount(pairs: PairSet) -> list[str]:
    """Return a warning where there are fewer pairs than the vectors have dimensions."""
    dim = max(x.shape[1] for x in pairs.vectors.values())
    if len(pairs.links) >= dim:
        return []
    return [
        f"{len(pairs.links)} pairs are fewer than the {dim} dimensions of the vectors; add"
        " pairs, or unpaired images and texts, or expect a weak alignment"
    ]
