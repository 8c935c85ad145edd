"""Contrastive heads: two unrelated encoders brought together by pairs that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from tiepoint.alignment.batches import by_language
from tiepoint.alignment.cca import CcaAligner, CcaOptions
from tiepoint.alignment.components import Components
from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.heads import Head
from tiepoint.alignment.inputs import InputOptions
from tiepoint.alignment.options import LossName, Options, Range
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.views import Views
from tiepoint.encoders.base import Vectors
from tiepoint.types import Modality


class ContrastiveOptions(Options):
    """Options of `ContrastiveAligner`.

    Attributes:
        canonical: The canonical correlation analysis that training starts from; its
            `dimensions` are those of the joint vectors. None: heads start at random.
        dim: Length of the joint vectors of heads that start at random.
        components: Principal components of the vectors that such heads take.
        hidden: Width of the hidden layer of the heads' residual branch; 0 for linear heads.
        loss: `infonce`, `sigmoid` or `hinge` (the hardest negative).
        epochs: Passes over the pairs.
        batch: Pairs in a step.
        learning_rate: Of AdamW, at its highest.
        weight_decay: Of the heads' matrices, or of their difference from the analysis.
        dropout: Share of a head's inputs that are left out in training.
        warmup: Share of the steps in which the learning rate rises.
        temperature: Of the softmax, at the start; it is learned.
        patience: Epochs without a better validation figure after which training stops.
        augment: Changed versions of the images to learn from beside them; none if not given.
    """

    inputs: InputOptions | None = InputOptions(standardise=True)
    canonical: CcaOptions | None = CcaOptions(
        regularisation_first=1.5, regularisation_second=0.1, dimensions=512, power=0.75
    )
    dim: int = Field(default=512, ge=2, le=8192)
    components: int = Field(default=640, ge=2)
    hidden: int = Field(default=0, ge=0, le=16384)
    loss: LossName = "infonce"
    epochs: int = Field(default=3, ge=1)
    batch: int = Field(default=500, ge=2)
    learning_rate: float = Field(default=5e-4, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    warmup: float = Field(default=0.05, ge=0, le=1)
    temperature: float = Field(default=0.07, gt=0, allow_inf_nan=False)
    patience: int = Field(default=5, ge=1)
    augment: Views | None = None


class ContrastiveAligner(FittedAligner):
    """Linear or MLP heads over frozen encoders, trained by contrast.

    By default training starts from a canonical correlation analysis and moves away from it a
    little: with some thousand pairs that is better than either alone. Learning needs torch;
    afterwards the heads are matrices over the encoders' prepared vectors, and numpy computes
    them.
    """

    method = "contrastive"
    Options = ContrastiveOptions
    options: ContrastiveOptions
    tunable: ClassVar[Mapping[str, Range]] = {
        "learning_rate": Range(3e-4, 1e-2, log=True),
        "weight_decay": Range(0.01, 3.0, log=True),
        "dropout": Range(0.0, 0.7),
        "temperature": Range(0.02, 0.2, log=True),
        "hidden": Range(choices=(0, 512, 1024)),
        "epochs": Range(choices=(2, 3, 5, 8)),
    }

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        from tiepoint.alignment.towers import HeadTowers, validation
        from tiepoint.alignment.trainer import one_thread, train

        components = self._components(pairs, settings)
        model = HeadTowers(
            {m: self._shown(pairs, m, components[m]) for m in pairs.modalities},
            self.options,
            settings.seed,
        )
        told = self.options
        validate = validation(model, val, components) if val is not None else None
        key = f"{self.method} {told.model_dump_json()} {pairs.data_hash}"
        with one_thread():
            history = train(model, by_language(pairs), told, settings, key, validate)
        tensors: Tensors = {}
        for modality, head in zip(pairs.modalities, model.heads(), strict=True):
            tensors |= head.after(components[modality]).tensors(modality)
        return tensors, history

    @property
    def views(self) -> Views | None:
        return self.options.augment

    def _shown(self, pairs: PairSet, modality: Modality, components: Components) -> Vectors:
        """Return (n_views, n, k) what the heads are shown, the plain vectors first."""
        plain = components(pairs.vectors[modality])[None]
        if self.options.augment is None or modality not in pairs.views:
            return plain
        return np.concatenate([plain, [components(view) for view in pairs.views[modality]]])

    def _components(self, pairs: PairSet, settings: FitSettings) -> dict[Modality, Components]:
        """Return what the heads take: principal components, or canonical directions."""
        if self.options.canonical is None:
            most = self.options.components
            return {m: Components.fit(x, most) for m, x in pairs.vectors.items()}
        analysis = CcaAligner(self.encoders, **self.options.canonical.model_dump())
        tensors, _ = analysis.learn(pairs, None, settings)
        return {
            m: Components(tensors[f"mean.{m}"], tensors[f"weight.{m}"]).scaled_to(x)
            for m, x in pairs.vectors.items()
        }

    def prepare(self) -> None:
        self._heads = {m: Head.restored(self.tensors, m) for m in self.encoders}

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        return self._heads[modality](x)
