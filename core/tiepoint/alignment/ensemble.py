"""Ensembles: several aligners whose similarities are added, in one vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tiepoint.alignment.fitted import FittedAligner, Tensors
from tiepoint.alignment.fitting import FitProgress, FitSettings
from tiepoint.alignment.languages import LanguageGate
from tiepoint.alignment.options import Options
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import fitted_method
from tiepoint.encoders.base import Vectors
from tiepoint.errors import ConfigError
from tiepoint.types import Modality

if TYPE_CHECKING:
    from tiepoint.alignment.views import Views


class Member(BaseModel):
    """One aligner of an ensemble.

    Attributes:
        method: Its entry point in `tiepoint.aligners`.
        weight: Of its similarity in the sum.
        options: The method's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    options: dict[str, Any] = Field(default_factory=dict)


class EnsembleOptions(Options):
    """Options of `EnsembleAligner`.

    Attributes:
        members: Two aligners or more; the seed of each is one higher than that of the one
            before, so equal members differ.
    """

    members: tuple[Member, ...] = Field(min_length=2)


class EnsembleAligner(FittedAligner):
    """Fits several aligners, and concatenates their unit vectors, weighted.

    The inner product of two concatenations is the weighted sum of the members' cosines, so an
    ensemble costs an index nothing but longer vectors.

    Attributes:
        members: The aligners.
    """

    method = "ensemble"
    Options = EnsembleOptions
    options: EnsembleOptions

    def __init__(self, encoders: Mapping[Modality, Any], **options: Any) -> None:
        super().__init__(encoders, **options)
        self.members = self._new_members()

    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        tensors: Tensors = {}
        history: list[Mapping[str, float]] = []
        for index, member in enumerate(self.members):
            report = member.fit(pairs, val, self._settings(settings, index))
            tensors |= {f"{index}.{name}": value for name, value in member.tensors.items()}
            history += [{"member": float(index), **step} for step in report.history]
        return tensors, history

    @property
    def views(self) -> Views | None:
        """Those of the members.

        Raises:
            ConfigError: The members' differ.
        """
        wanted = {member.views for member in self.members} - {None}
        if len(wanted) > 1:
            raise ConfigError(
                "the members learn from different views of the images",
                where="members",
                hint="Give `augment` the same value wherever it is given.",
            )
        return next(iter(wanted), None)

    def prepare(self) -> None:
        for index, member in enumerate(self.members):
            start = f"{index}."
            member.restore(
                {
                    name.removeprefix(start): value
                    for name, value in self.tensors.items()
                    if name.startswith(start)
                }
            )

    def warm_up(self) -> None:
        for member in self.members:
            member.warm_up()

    def project(self, modality: Modality, x: Vectors) -> Vectors:
        roots = np.sqrt(self.weights(modality, x))
        parts = [
            member.transform(modality, x) * root[:, None]
            for member, root in zip(self.members, roots.T, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def languages(self, modality: Modality) -> LanguageGate | None:
        told = (member.languages(modality) for member in self.members)
        return next((gate for gate in told if gate is not None), None)

    def weights(self, modality: Modality, x: Vectors) -> Vectors:
        """Return (n, n_members) float32, how much each member counts for each vector."""
        stated = np.array([member.weight for member in self.options.members], np.float32)
        return np.broadcast_to(stated, (len(x), len(stated)))

    def _new_members(self) -> list[FittedAligner]:
        made = []
        for index, member in enumerate(self.options.members):
            aligner = fitted_method(member.method)
            try:
                made.append(aligner(self.encoders, **member.options))
            except ConfigError as error:
                raise ConfigError(
                    error.what, where=f"members.{index}.options.{error.where}", hint=error.hint
                ) from error
        return made

    def _settings(self, settings: FitSettings, index: int) -> FitSettings:
        """Return a member's settings: its own seed and folder, and progress over all members."""
        count = len(self.members)

        def tell(step: FitProgress) -> None:
            if settings.progress is not None:
                done = index * step.total + step.done
                settings.progress(FitProgress(done, count * step.total, step.metrics))

        folder = settings.checkpoint
        return replace(
            settings,
            seed=settings.seed + index,
            progress=tell,
            checkpoint=folder / str(index) if folder is not None else None,
        )
