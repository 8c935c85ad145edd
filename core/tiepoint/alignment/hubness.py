"""Hubness corrections that live in the stored vectors, at no cost to the index.

In high dimensions some gallery items (hubs) are near to everything. Each correction here lowers
a hub's score by an amount that depends on the item alone, measured against a bank of vectors of
the other modality:

- `nnn` (Chowdhury et al., 2410.24114): `alpha` x mean of the k highest similarities to the bank.
- `csls` (Conneau et al., 1710.04087): half the mean of the k highest similarities. The paper's
  term of the query is the same for the whole gallery, so it changes no ranking.
- `inverted_softmax` (Smith et al., 1702.03859): log-sum-exp over the bank, with temperature
  1/beta; a softmax over queries divides each item by a constant of that item.

QB-Norm (2112.12777) adds a condition on the query, so it cannot be stored: see
`qb_norm_scores`.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tiepoint.encoders.base import Vectors

_ROWS_AT_ONCE = 4096


class Hubness(BaseModel):
    """Which correction, and how strong.

    Attributes:
        kind: `nnn`, `csls` or `inverted_softmax`.
        neighbours: Of the bank, that `nnn` and `csls` average over.
        alpha: Strength of `nnn`.
        beta: Inverse temperature of `inverted_softmax`.
        bank: Most vectors of each modality that are kept as bank, drawn at random.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["nnn", "csls", "inverted_softmax"] = "inverted_softmax"
    neighbours: int = Field(default=16, ge=1)
    alpha: float = Field(default=0.75, ge=0, le=2, allow_inf_nan=False)
    beta: float = Field(default=15.0, gt=0, allow_inf_nan=False)
    bank: int = Field(default=3000, ge=1)


def hub_scores(x: Vectors, bank: Vectors, hubness: Hubness) -> Vectors:
    """Return what each vector loses: (n,) float32, larger for hubs.

    Args:
        x: (n, d) joint unit vectors.
        bank: (m, d) joint vectors of the other modality.
        hubness: The correction.
    """
    parts = [
        _hub_scores(x[start : start + _ROWS_AT_ONCE] @ bank.T, hubness)
        for start in range(0, len(x), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _hub_scores(similarities: Vectors, hubness: Hubness) -> Vectors:
    if hubness.kind == "inverted_softmax":
        scaled = hubness.beta * similarities
        peak = scaled.max(1, keepdims=True)
        np.exp(scaled - peak, out=scaled)
        return np.asarray((peak[:, 0] + np.log(scaled.mean(1))) / hubness.beta, np.float32)
    strength = 0.5 if hubness.kind == "csls" else hubness.alpha
    k = min(hubness.neighbours, similarities.shape[1])
    nearest = np.partition(similarities, -k, axis=1)[:, -k:]
    return np.asarray(strength * nearest.mean(1), np.float32)


def sample(x: Vectors, size: int, seed: int) -> Vectors:
    """Return at most `size` rows of x, drawn at random."""
    if len(x) <= size:
        return x
    return x[np.sort(np.random.default_rng(seed).permutation(len(x))[:size])]


class Correction:
    """Writes hub scores into unit vectors of two modalities, so that inner products have them.

    A vector v of the first modality becomes `[v, -h_v/c, c, pad, 0]`, one t of the second
    `[t, c, -h_t/c, 0, pad]`, all over one norm: their inner product is `v.t - h_v - h_t`, scaled.
    Whichever of the two is the query, its own term is the same for the whole gallery; so one
    vector serves both directions, and every index of inner products or cosines.

    Args:
        hubness: The kind and strength.
        banks: (m, d) joint vectors that each modality's vectors are measured against (those of
            the other modality), by modality, in the order of the slots.
        centres: The hub score that is usual, by modality; taken off, to keep the slots small.
        bound: The largest deviation from it that is kept; > 0.
    """

    def __init__(
        self,
        hubness: Hubness,
        banks: dict[str, Vectors],
        centres: dict[str, float],
        bound: float,
    ) -> None:
        self.hubness = hubness
        self.banks = banks
        self.centres = centres
        self.bound = bound

    @classmethod
    def fit(cls, hubness: Hubness, joint: dict[str, Vectors], seed: int) -> Correction:
        """Make the banks from the joint vectors of the training rows of two modalities."""
        first, second = joint
        banks, centres, bound = {}, {}, 0.0
        for own, other in ((first, second), (second, first)):
            banks[own] = sample(joint[other], hubness.bank, seed)
            hubs = hub_scores(sample(joint[own], hubness.bank, seed), banks[own], hubness)
            centres[own] = float(np.mean(hubs))
            bound = max(bound, float(np.abs(hubs - centres[own]).max()))
        return cls(hubness, banks, centres, max(1.25 * bound, 1e-3))

    def apply(self, modality: str, x: Vectors) -> Vectors:
        """Return (n, d + 4) float32 unit vectors for (n, d) unit vectors."""
        raw = hub_scores(x, self.banks[modality], self.hubness)
        hubs = np.clip(raw - self.centres[modality], -self.bound, self.bound)
        size = np.float32(np.sqrt(self.bound))
        slots = np.zeros((len(x), 4), np.float32)
        own = 0 if modality == next(iter(self.banks)) else 1
        slots[:, own] = -hubs / size
        slots[:, 1 - own] = size
        slots[:, 2 + own] = np.sqrt(np.maximum(self.bound - np.square(hubs) / self.bound, 0))
        return np.asarray(np.hstack([x, slots]) / np.sqrt(1 + 2 * self.bound), np.float32)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` takes."""
        named: dict[str, NDArray[Any]] = {"hubness.bound": np.array([self.bound])}
        for slot, modality in enumerate(self.banks):
            named[f"hubness.bank.{slot}.{modality}"] = self.banks[modality]
            named[f"hubness.centre.{modality}"] = np.array([self.centres[modality]])
        return named

    @classmethod
    def restored(cls, hubness: Hubness, tensors: dict[str, NDArray[Any]]) -> Correction:
        """Make a correction from what `tensors` returned.

        Raises:
            KeyError: A tensor is missing.
        """
        ordered = sorted(name for name in tensors if name.startswith("hubness.bank."))
        banks = {name.split(".", 3)[3]: tensors[name] for name in ordered}
        return cls(
            hubness,
            banks,
            {m: float(tensors[f"hubness.centre.{m}"][0]) for m in banks},
            float(tensors["hubness.bound"][0]),
        )


def qb_norm_scores(
    scores: Vectors, bank_scores: Vectors, beta: float = 20.0, activation: int = 1
) -> Vectors:
    """Return QB-Norm scores with the dynamic inverted softmax (Bogolin et al., 2112.12777).

    Args:
        scores: (n_queries, n_gallery) similarities.
        bank_scores: (n_bank, n_gallery) similarities of a bank of queries to the same gallery.
        beta: Inverse temperature.
        activation: A gallery item is a hub if it is among this many best of some bank query;
            a query is corrected only if its best item is a hub.

    Returns:
        (n_queries, n_gallery) float32 scores; comparable within a row only.
    """
    best = np.argpartition(-bank_scores, activation - 1, axis=1)[:, :activation]
    corrected = np.isin(scores.argmax(1), best)
    peak = bank_scores.max(0)
    normaliser = peak + np.log(np.exp(beta * (bank_scores - peak)).sum(0)) / beta
    return np.where(corrected[:, None], scores - normaliser, scores).astype(np.float32)
