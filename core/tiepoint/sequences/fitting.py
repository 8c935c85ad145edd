"""Fit a pooling on pairs of sequences and what they belong to, by contrast."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tiepoint import __version__, cards
from tiepoint.alignment.pairs import PairSet, Rows
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import FingerprintError, InputError
from tiepoint.evaluation.retrieval import evaluate
from tiepoint.sequences.files import PoolingCard, save_pooling
from tiepoint.sequences.learned import LearnedPooling
from tiepoint.sequences.pooling import Pooling, Sequences
from tiepoint.types import TEXT, VIDEO, Modality

if TYPE_CHECKING:
    from tiepoint.alignment.fitting import FitSettings


class PoolingOptions(BaseModel):
    """Options of a fit.

    Attributes:
        method: `attention` (weighs the frames), or `gru` (sees their order).
        width: Of the attention's hidden layer, or of the recurrent state.
        dim: Length of the vectors that are compared in training.
        loss: `infonce`, `sigmoid` or `hinge`.
        epochs: Passes over the pairs.
        batch: Pairs in a step.
        learning_rate: Of AdamW, at its highest.
        weight_decay: Of matrices.
        dropout: Share of the heads' inputs that are left out in training.
        warmup: Share of the steps in which the learning rate rises.
        temperature: Of the softmax, at the start; it is learned.
        patience: Epochs without a better validation figure after which training stops.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["attention", "gru"]
    width: int = Field(default=128, ge=1, le=4096)
    dim: int = Field(default=128, ge=2, le=8192)
    loss: Literal["infonce", "sigmoid", "hinge"] = "infonce"
    epochs: int = Field(default=40, ge=1)
    batch: int = Field(default=100, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    warmup: float = Field(default=0.05, ge=0, le=1)
    temperature: float = Field(default=0.07, gt=0, allow_inf_nan=False)
    patience: int = Field(default=10, ge=1)


@dataclass(frozen=True)
class SequencePairs:
    """Sequences, and the vectors of what they belong to: their texts, say.

    Attributes:
        sequences: The vectors of the frames of n sequences.
        targets: (m, d) float32 vectors of m texts, or of anything else.
        links: (n_links, 2) int64, rows of the sequences and of the targets.

    Raises:
        InputError: No links, rows that do not exist, or values that are not finite.
    """

    sequences: Sequences
    targets: Vectors
    links: Rows

    def __post_init__(self) -> None:
        sizes = (len(self.sequences), len(self.targets))
        if self.links.ndim != 2 or self.links.shape[1] != 2 or not len(self.links):
            raise InputError(f"links must have the shape (n, 2), not {self.links.shape}")
        if (self.links < 0).any() or (self.links >= sizes).any():
            raise InputError("a link names a row that does not exist")
        if not np.isfinite(self.targets).all():
            raise InputError("the targets hold NaN or infinity")

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the vectors and the links, in hexadecimal."""
        content = hashlib.sha256()
        for array in (self.sequences.frames, self.sequences.mask, self.targets, self.links):
            content.update(f"{array.shape}\n".encode() + np.ascontiguousarray(array).tobytes())
        return content.hexdigest()

    def pooled(
        self, pooling: Pooling, modalities: tuple[Modality, Modality] = (VIDEO, TEXT)
    ) -> PairSet:
        """Return pairs of pooled vectors, as every aligner is fitted on them."""
        first, second = modalities
        return PairSet({first: pooling(self.sequences), second: self.targets}, self.links)


@dataclass(frozen=True)
class PoolingFit:
    """A fitted pooling.

    Attributes:
        pooling: What makes one vector of a sequence.
        card: What is known of the fit.
        history: The figures of every epoch.
    """

    pooling: LearnedPooling
    card: PoolingCard
    history: tuple[Mapping[str, float], ...]

    def save(self, folder: Path | str) -> Path:
        """Write it into a folder, as the option `pooling` of a video encoder names it."""
        return save_pooling(folder, self.pooling, self.card)


def fit_pooling(
    frames: Encoder,
    pairs: SequencePairs,
    options: PoolingOptions,
    val: SequencePairs | None = None,
    settings: FitSettings | None = None,
) -> PoolingFit:
    """Fit a pooling so that sequences lie near their targets, under a linear head for each.

    The heads serve the training alone: afterwards an aligner is fitted on the pooled vectors
    (`SequencePairs.pooled`), by whatever method, or the one that was made for the encoder of
    the frames goes on being used where the pooling stays in its space.

    Args:
        frames: The encoder of the frames; only its fingerprint and `dim` matter here.
        pairs: What is learned from.
        options: How.
        val: Held-out pairs for early stopping.
        settings: Seed, progress, checkpoint.

    Raises:
        FingerprintError: Frames of another length than the encoder's vectors.
        InputError: All pairs have the same target.
    """
    from tiepoint.alignment.fitting import FitSettings
    from tiepoint.alignment.trainer import train
    from tiepoint.sequences.towers import SequenceTowers

    told = settings or FitSettings()
    for role, given in (("training", pairs), ("validation", val)):
        if given is not None and given.sequences.frames.shape[2] != frames.dim:
            raise FingerprintError(
                f"the {role} sequences have frames of {given.sequences.frames.shape[2]} values,"
                f" and the encoder's have {frames.dim}",
                hint="Encode them with this encoder.",
            )
    if (pairs.targets[pairs.links[:, 1]] == pairs.targets[pairs.links[0, 1]]).all():
        raise InputError("all pairs have the same target", hint="Give pairs that differ.")
    model = SequenceTowers(pairs.sequences, pairs.targets, options, told.seed)

    def validate() -> Mapping[str, float]:
        if val is None:
            return {}
        first, second = model.joint(val.sequences, val.targets)
        return {"rsum": evaluate(first, second, val.links).rsum}

    key = f"pooling {options.model_dump_json()} {pairs.data_hash}"
    history = train(model, [pairs.links], options, told, key, validate if val is not None else None)
    best = max(history, key=lambda figures: figures.get("val/rsum", 0.0)) if val else history[-1]
    card = PoolingCard(
        method=options.method,
        frames=frames.fingerprint,
        options=options.model_dump(mode="json"),
        data_hash=pairs.data_hash,
        pairs=len(pairs.links),
        seed=told.seed,
        metrics={name: float(value) for name, value in best.items()},
        date=cards.now(),
        tiepoint=__version__,
        versions=cards.versions(),
    )
    return PoolingFit(model.pooled.pooling(), card, tuple(history))
