"""The contract of aligners that learn: fit on pairs, transform, save, load."""

from __future__ import annotations

import hashlib
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

import tiepoint
from tiepoint.alignment.base import Aligner
from tiepoint.alignment.card import (
    CARD,
    TENSORS,
    Card,
    DataCard,
    EncoderCard,
    check_encoders,
    library_versions,
    read_card,
    read_tensors,
)
from tiepoint.alignment.checks import checked_vectors, unit_rows
from tiepoint.alignment.hubness import Correction, Hubness
from tiepoint.alignment.inputs import InputOptions, Inputs, prepared
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.storage import Storage, packed, unpacked
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import ConfigError, FingerprintError, InputError
from tiepoint.evaluation.retrieval import Retrieval, evaluate
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.types import Modality

Tensors = dict[str, NDArray[Any]]


class Options(BaseModel):
    """What every method can be told; methods subclass it with their own.

    Attributes:
        inputs: What is done to the encoders' vectors first; nothing if not given.
        hubness: The correction that is written into the joint vectors; none if not given.
        storage: How the parameters are stored: `float32`, `float16`, or `int8` with a scale
            for each row. The aligner computes with what is stored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: InputOptions | None = None
    hubness: Hubness | None = None
    storage: Storage = "float32"


@dataclass(frozen=True, slots=True)
class Range:
    """Where the tuning of an option looks: from low to high, or one of some choices."""

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class FitProgress:
    """How far a fit is.

    Attributes:
        done: Steps (epochs, rounds) done.
        total: Of how many.
        metrics: Figures of this step by name, such as `loss` and `val/rsum`.
    """

    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FitSettings:
    """What a fit is told apart from the method's options; it does not change the result.

    Attributes:
        seed: Of everything random.
        progress: Called after every step.
        checkpoint: A folder where a method that takes steps keeps its state and finds it again
            after a kill; None to keep nothing.
    """

    seed: int = 0
    progress: Callable[[FitProgress], None] | None = None
    checkpoint: Path | None = None

    def tell(self, done: int, total: int, **metrics: float) -> None:
        """Report a step."""
        if self.progress is not None:
            self.progress(FitProgress(done, total, metrics))


@dataclass(frozen=True)
class FitReport:
    """What a fit did.

    Attributes:
        method: The method's name.
        pairs: How many pairs it learned from.
        seconds: How long it took.
        metrics: Figures by name; with validation pairs, `val` has those of the protocol.
        history: The figures of every step.
        warnings: What the user should know, one line each.
    """

    method: str
    pairs: int
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, float], ...] = ()
    warnings: tuple[str, ...] = ()


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
        tensors: The learned parameters by name, as stored; empty before a fit.
        card: What is known of the fit; None before.
    """

    method: ClassVar[str]
    Options: ClassVar[type[Options]] = Options
    tunable: ClassVar[Mapping[str, Range]] = {}
    learns_from_unpaired: ClassVar[bool] = False

    def __init__(self, encoders: Mapping[Modality, Encoder], **options: Any) -> None:
        super().__init__(encoders)
        try:
            self.options = self.Options.model_validate(options)
        except ValidationError as error:
            problem = error.errors()[0]
            raise ConfigError(
                f"{self.method}: {problem['msg']}",
                where=".".join(map(str, problem["loc"])),
                hint=f"Its options are {', '.join(self.Options.model_fields)}.",
            ) from error
        self.tensors: Tensors = {}
        self.card: Card | None = None
        self._inputs: dict[Modality, Inputs] = {}
        self._correction: Correction | None = None
        self._content = b""

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
        self._check(pairs, "training")
        if val is not None:
            self._check(val, "validation")
        warnings = _check_amount(pairs)
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
        if not self.tensors:
            raise ConfigError(
                f"the aligner {self.method!r} was not fitted",
                where="alignment",
                hint="Fit it with `tiepoint align fit` and name it by `type: saved` and `path`.",
            )
        joint = self._unit(modality, checked_vectors(self.encoders, modality, x))
        return joint if self._correction is None else self._correction.apply(modality, joint)

    def match_probability(self, query: Modality, gallery: Modality) -> MatchProbability | None:
        return self.card.calibration.get(f"{query}->{gallery}") if self.card else None

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
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for name, content in (
            (TENSORS, self._content),
            (CARD, self.card.model_dump_json(indent=2).encode() + b"\n"),
        ):
            partial = target / f"{name}.partial"
            partial.write_bytes(content)
            partial.replace(target / name)
        return target

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
        import safetensors
        from safetensors.numpy import load

        place = Path(folder)
        card = read_card(place)
        check_encoders(card, encoders, place)
        if card.method != cls.method:
            raise InputError(
                f"the aligner's method is {card.method!r}, not {cls.method!r}", where=str(place)
            )
        content = read_tensors(card, place)
        aligner = cls(encoders, **card.options)
        try:
            aligner.restore(unpacked(load(content)))
        except (safetensors.SafetensorError, KeyError, ValueError) as error:
            raise InputError(
                f"the tensors do not fit the method {card.method!r} ({error})",
                where=str(place / TENSORS),
                hint="Fit the aligner again.",
            ) from error
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

    def _check(self, pairs: PairSet, role: str) -> None:
        for modality, x in pairs.vectors.items():
            encoder = self.encoders.get(modality)
            if encoder is None:
                raise InputError(
                    f"the {role} pairs have {modality}, which has no encoder",
                    hint=f"There are encoders for {', '.join(self.encoders)}.",
                )
            if x.shape[1] != encoder.dim:
                raise FingerprintError(
                    f"the {role} pairs have {modality} vectors of length {x.shape[1]}, and the"
                    f" encoder's have {encoder.dim}",
                    hint="Encode the pairs with this encoder.",
                )

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

    def _unit(self, modality: Modality, x: Vectors) -> Vectors:
        given = self._inputs[modality](x) if self._inputs else x
        return unit_rows(self.project(modality, given))

    def _sign(self, stored: Tensors, pairs: PairSet, seed: int, metrics: dict[str, Any]) -> None:
        """Write the card of what was just fitted."""
        from safetensors.numpy import save

        self._content = save({n: np.ascontiguousarray(t) for n, t in stored.items()})
        modality, x = next(iter(pairs.vectors.items()))
        self._accept(
            Card(
                method=self.method,
                options=self.options.model_dump(mode="json"),
                dim=self.transform(modality, x[:1]).shape[1],
                encoders={
                    m: EncoderCard(fingerprint=e.fingerprint, dim=e.dim)
                    for m, e in self.encoders.items()
                },
                data=DataCard(
                    hash=pairs.data_hash,
                    pairs=len(pairs.links),
                    rows={m: len(x) for m, x in pairs.vectors.items()},
                ),
                seed=seed,
                metrics=metrics,
                date=datetime.now(UTC).isoformat(timespec="seconds"),
                tiepoint=tiepoint.__version__,
                versions=library_versions(),
                sha256=hashlib.sha256(self._content).hexdigest(),
            )
        )

    def _accept(self, card: Card) -> None:
        self.card = card
        self.dim = card.dim
        self.fingerprint = card_fingerprint(card)


def card_fingerprint(card: Card) -> str:
    """Return the fingerprint of the aligner that a card describes."""
    parts = [card.method, card.sha256, repr(sorted(card.options.items()))]
    parts += [f"{m}={e.fingerprint}" for m, e in sorted(card.encoders.items())]
    return f"{card.method}/{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}"


def _check_amount(pairs: PairSet) -> list[str]:
    """Refuse pairs that are one and the same; warn of fewer than the vectors have dimensions."""
    for modality, x in zip(pairs.modalities, pairs.linked(), strict=True):
        if (x == x[0]).all():
            raise InputError(
                f"all {len(x)} pairs have the same {modality}",
                hint="Give pairs that differ; some hundreds at least.",
            )
    dim = max(x.shape[1] for x in pairs.vectors.values())
    if len(pairs.links) < dim:
        return [
            f"{len(pairs.links)} pairs are fewer than the {dim} dimensions of the vectors; add"
            " pairs, or unpaired images and texts, or expect a weak alignment"
        ]
    return []
