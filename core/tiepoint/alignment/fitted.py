"""The contract of aligners that learn: fit on pairs, transform, save, load."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.card import SAVED, Card, check_encoders
from tiepoint.alignment.checks import (
    check_amount,
    check_dimensions,
    check_variety,
    checked_vectors,
    unit_rows,
)
from tiepoint.alignment.fitting import FitReport, FitSettings
from tiepoint.alignment.hubness import Correction
from tiepoint.alignment.inputs import Inputs, prepared
from tiepoint.alignment.languages import LanguageGate
from tiepoint.alignment.options import Options, Range, checked_options
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.signing import card_fingerprint, signed
from tiepoint.alignment.storage import packed, unpacked
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import ConfigError, InputError
from tiepoint.evaluation.retrieval import Retrieval, evaluate
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.types import Modality

if TYPE_CHECKING:
    from tiepoint.alignment.views import Views

Tensors = dict[str, NDArray[Any]]


class FittedAligner(Aligner):
    """An aligner whose parameters are learned from pairs.

    A method implements `learn` (from pairs to named tensors) and `project` (from an encoder's
    vectors to joint ones, by those tensors), and declares its `Options`. Everything else is
    the same for all: the checks, the unit norm, the hubness correction, the card, the files.

    Constructed with encoders and options it is empty: `fit` or `load` fill it. In a deployment
    file it is named by `type: saved` and the `path` of its folder.

    Args:
        encoders: The encoders by modality; only their `dim` and `fingerprint` matter here.
        options: What `Options` declares.

    Raises:
        ConfigError: Options that the method does not take.

    Attributes:
        method: The name of the entry point in `tiepoint.aligners`.
        Options: The model of its options.
        tunable: Where tuning looks, by option.
        learns_from_unpaired: Whether rows without a link teach it something.
        trains_encoders: Whether `trained_encoders` gives others than those it was made with.
        tensors: The learned parameters by name, as stored; empty before a fit.
        card: What is known of the fit; None before.
    """

    method: ClassVar[str]
    Options: ClassVar[type[Options]] = Options
    tunable: ClassVar[Mapping[str, Range]] = {}
    learns_from_unpaired: ClassVar[bool] = False
    trains_encoders: ClassVar[bool] = False

    def __init__(self, encoders: Mapping[Modality, Encoder], **options: Any) -> None:
        super().__init__(encoders)
        self.options = checked_options(self.Options, self.method, options)
        self.tensors: Tensors = {}
        self.card: Card | None = None
        self._inputs: dict[Modality, Inputs] = {}
        self._correction: Correction | None = None
        self._content = b""
        self._is_fitted = False

    # What a method implements

    @abstractmethod
    def learn(
        self, pairs: PairSet, val: PairSet | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        """Return the parameters learned from pairs, and the figures of every step.

        Args:
            pairs: Checked, finite, and prepared as the option `inputs` says.
            val: Held-out pairs for early stopping, or None.
            settings: Seed, progress, checkpoint.

        Raises:
            InputError: Pairs that the method cannot learn from.
        """

    @abstractmethod
    def project(self, modality: Modality, x: Vectors) -> Vectors:
        """Return (n, d_joint) joint vectors of any length, by `tensors`; x is prepared."""

    @property
    def views(self) -> Views | None:
        """The changed versions of images that it learns from; None for the images alone."""
        return None

    def check_encoders(self) -> None:
        """Refuse, before anything is encoded, encoders that could not be trained.

        Raises:
            ConfigError: Encoders of another kind than the method trains.
            MissingDependencyError: What the training needs is not installed.
        """

    def trained_encoders(
        self,
        pairs: PairSet,
        val: PairSet | None,
        root: Path,
        folder: Path,
        settings: FitSettings,
    ) -> Mapping[Modality, Encoder]:
        """Return the encoders whose vectors `fit` takes, and take them over.

        Most methods leave the encoders as they are. One that trains them is given pairs with
        the vectors of the untrained ones, and writes what it learned into the folder.

        Args:
            pairs: To learn from; their names are the images' paths and the texts.
            val: Held-out pairs for early stopping, or None.
            root: The folder that the images' paths are relative to.
            folder: Where the trained part of the encoders is written.
            settings: Seed, progress, checkpoint.

        Raises:
            ConfigError: Encoders that cannot be trained.
            InputError: Pairs that nothing can be learned from.
        """
        return self.encoders

    def prepare(self) -> None:
        """Make from `tensors` what `project` needs; called once after a fit or a load."""

    # What all have in common

    def fit(
        self, pairs: PairSet, val: PairSet | None = None, settings: FitSettings | None = None
    ) -> FitReport:
        """Learn from pairs; afterwards the aligner transforms, and can be saved.

        Raises:
            InputError: Pairs that nothing can be learned from, or of other dimensions than
                the encoders'.
        """
        told = settings or FitSettings()
        started = time.perf_counter()
        check_dimensions(pairs, self.encoders, "training")
        if val is not None:
            check_dimensions(val, self.encoders, "validation")
        if self.views is not None and not pairs.views:
            raise InputError(
                "there are no views of the images to learn from",
                where="augment",
                hint="Make them of the pairs by `with_views`, or leave the option out.",
            )
        check_variety(pairs)
        warnings = check_amount(pairs)
        inputs = self._fit_inputs(pairs)
        shown = prepared(pairs, inputs) if inputs else pairs
        shown_val = prepared(val, inputs) if inputs and val is not None else val
        tensors, history = self.learn(shown, shown_val, told)
        for modality, made in inputs.items():
            tensors |= made.tensors(modality)
        stored = packed(tensors, self.options.storage)
        self._take(unpacked(stored))
        if self.options.hubness is not None:
            joint = {m: self._unit(m, x) for m, x in pairs.vectors.items()}
            correction = Correction.fit(self.options.hubness, joint, told.seed)
            stored |= packed(correction.tensors(), self.options.storage)
            self.restore(unpacked(stored))
        metrics = {"val": self.evaluate(val).as_dict()} if val is not None else {}
        self._sign(stored, pairs, told.seed, metrics)
        seconds = time.perf_counter() - started
        return FitReport(
            self.method, len(pairs.links), seconds, metrics, tuple(history), tuple(warnings)
        )

    def transform(self, modality: Modality, x: Vectors) -> Vectors:
        if not self._is_fitted:
            raise ConfigError(
                f"the aligner {self.method!r} was not fitted",
                where="alignment",
                hint="Fit it with `tiepoint align fit` and name it by `type: saved` and `path`.",
            )
        joint = self._unit(modality, checked_vectors(self.encoders, modality, x))
        return joint if self._correction is None else self._correction.apply(modality, joint)

    def match_probability(
        self, query: Modality, gallery: Modality, language: str = ""
    ) -> MatchProbability | None:
        return self.card.match_probability(query, gallery, language) if self.card else None

    def languages(self, modality: Modality) -> LanguageGate | None:
        inputs = self._inputs.get(modality)
        return inputs.gate if inputs else None

    def unusual(self, modality: Modality, x: Vectors) -> Vectors:
        """Return (n,) float32, how unlike the training vectors others are: 0 usual, 1 one in 100.

        Raises:
            ConfigError: Vectors are not standardised, which tells it.
        """
        told = self.options.inputs
        if told is None or not told.standardise:
            raise ConfigError(
                f"{self.method} does not standardise its vectors, so it cannot tell unusual ones",
                where="inputs.standardise",
                hint="Set it to true.",
            )
        return self._inputs[modality].unusual(x)

    def restore(self, tensors: Tensors) -> None:
        """Take over parameters that `tensors` of a fitted aligner with these options held.

        Raises:
            KeyError: A tensor is missing.
        """
        if self.options.hubness is not None:
            self._correction = Correction.restored(self.options.hubness, tensors)
        self._take(tensors)

    def evaluate(self, pairs: PairSet) -> Retrieval:
        """Return the figures of the retrieval protocol on pairs; unpaired rows are left out."""
        kept = pairs.of_links(pairs.links)
        first, second = kept.modalities
        return evaluate(
            self.transform(first, kept.vectors[first]),
            self.transform(second, kept.vectors[second]),
            kept.links,
        )

    def save(self, folder: Path | str) -> Path:
        """Write tensors and card into a folder (made if absent), the card last; returns it.

        Raises:
            ConfigError: The aligner was not fitted.
        """
        if self.card is None:
            raise ConfigError(f"the aligner {self.method!r} was not fitted", hint="Fit it first.")
        return SAVED.write(Path(folder), self.card, self._content)

    @classmethod
    def load(cls, folder: Path | str, encoders: Mapping[Modality, Encoder]) -> Self:
        """Read a saved aligner of this method.

        Args:
            folder: What `save` wrote.
            encoders: The encoders by modality; must be those that it was fitted for.

        Raises:
            InputError: Files that are missing, truncated, changed, or of another method.
            FingerprintError: Other encoders.
        """
        from safetensors.numpy import load

        place = Path(folder)
        card = SAVED.read_card(place)
        check_encoders(card, encoders, place)
        if card.method != cls.method:
            raise InputError(
                f"the aligner's method is {card.method!r}, not {cls.method!r}", where=str(place)
            )
        content = SAVED.read_tensors(place, card.sha256)
        aligner = cls(encoders, **card.options)
        with SAVED.taking(place):
            aligner.restore(unpacked(load(content)))
        aligner._content = content
        aligner._accept(card)
        return aligner

    def with_card(self, **changes: Any) -> None:
        """Change fields of the card, such as its metrics or its calibration.

        Raises:
            ConfigError: The aligner was not fitted.
        """
        if self.card is None:
            raise ConfigError(f"the aligner {self.method!r} was not fitted", hint="Fit it first.")
        self.card = self.card.model_copy(update=changes)

    def _fit_inputs(self, pairs: PairSet) -> dict[Modality, Inputs]:
        if self.options.inputs is None:
            return {}
        first, second = pairs.modalities
        languages = {first: (), second: pairs.languages}
        return {
            m: Inputs.fit(self.options.inputs, m, x, languages[m]) for m, x in pairs.vectors.items()
        }

    def _take(self, tensors: Tensors) -> None:
        self.tensors = dict(tensors)
        if self.options.inputs is not None:
            self._inputs = {m: Inputs.restored(tensors, m) for m in self.encoders}
        self.prepare()
        self._is_fitted = True

    def _unit(self, modality: Modality, x: Vectors) -> Vectors:
        given = self._inputs[modality](x) if self._inputs else x
        return unit_rows(self.project(modality, given))

    def _sign(self, stored: Tensors, pairs: PairSet, seed: int, metrics: dict[str, Any]) -> None:
        """Write the card of what was just fitted."""
        from safetensors.numpy import save

        self._content = save({n: np.ascontiguousarray(t) for n, t in stored.items()})
        modality, x = next(iter(pairs.vectors.items()))
        dim = self.transform(modality, x[:1]).shape[1]
        options = self.options.model_dump(mode="json")
        self._accept(
            signed(self.method, options, dim, self.encoders, pairs, seed, metrics, self._content)
        )

    def _accept(self, card: Card) -> None:
        self.card = card
        self.dim = card.dim
        self.fingerprint = card_fingerprint(card)
