"""LoRA: a joint model fine-tuned end to end on pairs, by low-rank changes of its weights."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tiepoint import __version__, cards
from tiepoint.alignment.batches import by_language
from tiepoint.alignment.checks import check_variety
from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitReport, FitSettings
from tiepoint.alignment.options import LossName, Options
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.adapters import AdapterCard, peft, write_card, write_weights
from tiepoint.encoders.augmentation import Augmentation
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.joint import JointEncoder
from tiepoint.errors import ConfigError
from tiepoint.evaluation.retrieval import evaluate
from tiepoint.types import Modality

_SIGMOID_KINDS = ("siglip", "siglip2")


class LoraOptions(Options):
    """Options of `LoraAligner`.

    Attributes:
        rank: Of the change of each matrix.
        alpha: The change is multiplied by alpha / rank.
        dropout: Share of the inputs of a change that are left out in training.
        loss: `infonce`, `sigmoid` or `hinge`; that which the model was trained with if not
            given.
        epochs: Passes over the pairs.
        batch: Pairs in a step; a batch is held in memory with all that its gradients need.
        learning_rate: Of AdamW, at its highest.
        weight_decay: Of the changes.
        warmup: Share of the steps in which the learning rate rises.
        patience: Epochs without a better validation figure after which training stops.
        augment: How images are changed, anew in every epoch; not at all if not given.
    """

    rank: int = Field(default=8, ge=1, le=1024)
    alpha: float = Field(default=16.0, gt=0, allow_inf_nan=False)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    loss: LossName | None = None
    epochs: int = Field(default=5, ge=1)
    batch: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=2e-4, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    warmup: float = Field(default=0.1, ge=0, le=1)
    patience: int = Field(default=3, ge=1)
    augment: Augmentation | None = None


class LoraAligner(FittedAligner):
    """A joint model whose linear layers get low-rank changes (Hu et al., 2106.09685).

    It is the encoder that learns: `trained_encoders` trains the changes and gives encoders
    with them. Their vectors share a space, and `fit` leaves them as they are; it adds the
    hubness correction and the card.

    Training needs the package `peft` (the extra `lora`), and so does the first use of the
    trained encoder, which merges the changes into the model's weights.
    """

    method = "lora"
    Options = LoraOptions
    options: LoraOptions
    trains_encoders: ClassVar[bool] = True

    def __init__(self, encoders: Mapping[Modality, Encoder], **options: Any) -> None:
        super().__init__(encoders, **options)
        self._history: list[Mapping[str, float]] = []
        self._trained_s = 0.0

    def check_encoders(self) -> None:
        if self._joint().adapter is not None:
            raise ConfigError(
                "the encoder has an adapter already",
                where="encoders",
                hint="Take `adapter` away, and train on all pairs.",
            )
        peft()

    def trained_encoders(
        self,
        pairs: PairSet,
        val: PairSet | None,
        root: Path,
        folder: Path,
        settings: FitSettings,
    ) -> Mapping[Modality, Encoder]:
        self.check_encoders()
        check_variety(pairs)
        started = time.perf_counter()
        from tiepoint.alignment.lora_towers import LoraTowers, validation
        from tiepoint.alignment.trainer import train

        base, told = self._joint(), self.options
        loss = told.loss or ("sigmoid" if base.kind in _SIGMOID_KINDS else "infonce")
        model = LoraTowers(base, pairs, root, told, loss, settings.seed)
        key = f"{self.method} {base.fingerprint} {told.model_dump_json()} {pairs.data_hash}"
        validate = validation(model, val, root) if val is not None else None
        self._history = train(model, by_language(pairs), told, settings, key, validate)
        weights, config = write_weights(folder, model.network)
        card = AdapterCard(
            base=base.fingerprint,
            weights_sha256=weights,
            config_sha256=config,
            data=pairs.data_hash,
            pairs=len(pairs.links),
            seed=settings.seed,
            options=told.model_dump(mode="json"),
            metrics={"untuned": _figures(val)} if val is not None else {},
            date=cards.now(),
            tiepoint=__version__,
            versions=cards.versions(("torch", "transformers", "peft")),
        )
        write_card(folder, card)
        tuned = base.adapted(folder)
        self.encoders = dict.fromkeys(self.encoders, tuned)
        self._trained_s = time.perf_counter() - started
        return self.encoders

    def fit(
        self, pairs: PairSet, val: PairSet | None = None, settings: FitSettings | None = None
    ) -> FitReport:
        adapter = self._joint().adapter
        if adapter is None:
            raise ConfigError(
                "the encoder has no adapter",
                where="encoders",
                hint="Train one: tiepoint align fit --method lora.",
            )
        report = super().fit(pairs, val, settings)
        return replace(
            report,
            seconds=self._trained_s + report.seconds,
            metrics={**adapter.card.metrics, **report.metrics},
        )

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        return {}, self._history

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        return x

    def _joint(self) -> JointEncoder:
        """Return the one encoder.

        Raises:
            ConfigError: There are several, or it is of another kind.
        """
        encoder, *others = self.encoders.values()
        if not isinstance(encoder, JointEncoder) or any(
            other.fingerprint != encoder.fingerprint for other in others
        ):
            raise ConfigError(
                "LoRA fine-tunes one joint model for images and texts",
                where="alignment.encoders",
                hint="Name the same encoder of `type: joint` for both, or take another method.",
            )
        return encoder


def _figures(val: PairSet) -> dict[str, Any]:
    """Return the figures of vectors that share a space as they are."""
    kept = val.of_links(val.links)
    first, second = kept.vectors.values()
    return evaluate(first, second, kept.links).as_dict()
