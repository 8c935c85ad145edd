"""The contract of fusions that learn: fit on labelled queries, fuse, save, load."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tiepoint import __version__, cards
from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.options import checked_options
from tiepoint.errors import ConfigError, InputError
from tiepoint.fusion.base import Fusion, RouteScores
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.fusion.card import SAVED, FusionCard, FusionData
from tiepoint.fusion.contributions import contributions
from tiepoint.fusion.examples import FusionExamples
from tiepoint.types import Contribution

log = logging.getLogger(__name__)


class FusionOptions(BaseModel):
    """What a method can be told; methods subclass it with their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class FusionReport:
    """What a fit did.

    Attributes:
        method: The method's name.
        queries: How many labelled queries it learned from.
        seconds: How long it took.
        history: The figures of every step.
    """

    method: str
    queries: int
    seconds: float
    history: tuple[Mapping[str, float], ...] = field(default=())


class FittedFusion(Fusion):
    """A fusion whose parameters are learned from labelled queries.

    A method implements `learn` (from examples to named tensors) and `weigh` (from a query's
    routes to their weights), and declares its `Options`. The score of a candidate is the sum
    of weight x standardised similarity, in log-odds against another candidate.

    A route that it was not fitted for (a query of another modality) weighs as much as the
    fitted ones on average, and the log says so once.

    Constructed with options it is empty: `fit` or `load` fill it. In a deployment file it is
    named by `type: saved` and the `path` of its folder.

    Args:
        options: What `Options` declares.

    Raises:
        ConfigError: Options that the method does not take.

    Attributes:
        method: The name of the entry point in `tiepoint.fusions`.
        Options: The model of its options.
        needs_vectors: Whether it learns from the items' vectors.
        tensors: The learned parameters by name; empty before a fit.
        card: What is known of the fit; None before.
    """

    method: ClassVar[str]
    Options: ClassVar[type[FusionOptions]] = FusionOptions
    needs_vectors: ClassVar[bool] = False

    def __init__(self, **options: Any) -> None:
        self.options = checked_options(self.Options, self.method, options)
        self.tensors: Tensors = {}
        self.card: FusionCard | None = None
        self.routes: tuple[str, ...] = ()
        self._content = b""
        self._told_of: set[str] = set()

    # What a method implements

    @abstractmethod
    def learn(
        self, examples: FusionExamples, val: FusionExamples | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        """Return the parameters learned from labelled queries, and the figures of every step.

        Args:
            examples: At least one of its queries can teach.
            val: Held-out queries for early stopping, or None.
            settings: Seed, progress, checkpoint.

        Raises:
            InputError: Queries that nothing can be learned from.
        """

    @abstractmethod
    def weigh(self, routes: Sequence[RouteScores]) -> list[float]:
        """Return the weight of each route in a query; each is one of `self.routes`."""

    def prepare(self) -> None:
        """Make from `tensors` what `weigh` needs; called once after a fit or a load."""

    # What all have in common

    def fit(
        self,
        examples: FusionExamples,
        val: FusionExamples | None = None,
        settings: FitSettings | None = None,
    ) -> FusionReport:
        """Learn from labelled queries; afterwards the fusion fuses, and can be saved.

        Raises:
            InputError: Queries that nothing can be learned from, or held-out ones of other
                routes.
        """
        from safetensors.numpy import save

        told = settings or FitSettings()
        started = time.perf_counter()
        if not len(examples.links):
            raise InputError(
                f"none of the {len(examples)} labelled queries can teach: no route proposes both"
                " a relevant item and another one",
                hint="Check the relevant ids, or index more items.",
            )
        if val is not None and dict(val.fingerprints) != dict(examples.fingerprints):
            raise InputError(
                "the held-out queries take other routes than those to learn from",
                hint="Give both the same kinds of parts.",
            )
        self.routes = examples.routes
        tensors, history = self.learn(examples, val, told)
        self._content = save({n: np.array(t, order="C") for n, t in tensors.items()})
        self._take(tensors)
        self.card = FusionCard(
            method=self.method,
            options=self.options.model_dump(mode="json"),
            routes=dict(examples.fingerprints),
            data=FusionData(
                hash=examples.data_hash, queries=len(examples), gallery=examples.gallery
            ),
            seed=told.seed,
            date=cards.now(),
            tiepoint=__version__,
            versions=cards.versions(),
            sha256=cards.sha256(self._content),
        )
        seconds = time.perf_counter() - started
        return FusionReport(self.method, len(examples), seconds, tuple(history))

    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        self.require_fit()
        fitted = [route for route in routes if route.route in self.routes]
        weights = self.weigh(fitted) if fitted else []
        of = {route.route: weight for route, weight in zip(fitted, weights, strict=True)}
        usual = float(np.mean(weights)) if weights else 1.0
        for name in {route.route for route in routes} - of.keys() - self._told_of:
            self._told_of.add(name)
            log.warning("the fusion was not fitted for the route %s, which weighs the mean", name)
        return contributions(
            routes,
            [route.standardised for route in routes],
            [of.get(route.route, usual) for route in routes],
        )

    def fitted_routes(self) -> Mapping[str, str]:
        return self.card.routes if self.card is not None else {}

    def probabilities(self, scores: NDArray[np.float64], size: int) -> NDArray[np.float64] | None:
        calibration: MatchProbability | None = self.card.calibration if self.card else None
        return None if calibration is None else calibration(scores, leads(scores), size)

    def save(self, folder: Path | str) -> Path:
        """Write tensors and card into a folder (made if absent); returns it.

        A failure leaves the fusion that was saved before.

        Raises:
            ConfigError: The fusion was not fitted.
        """
        return SAVED.write(Path(folder), self.require_fit(), self._content)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read a saved fusion of this method.

        Raises:
            InputError: Files that are missing, truncated, changed, or of another method.
        """
        from safetensors.numpy import load

        place = Path(folder)
        card = SAVED.read_card(place)
        if card.method != cls.method:
            raise InputError(
                f"the fusion's method is {card.method!r}, not {cls.method!r}", where=str(place)
            )
        content = SAVED.read_tensors(place, card.sha256)
        fusion = cls(**card.options)
        fusion.routes = tuple(card.routes)
        with SAVED.taking(place):
            fusion._take(load(content))
        fusion._content, fusion.card = content, card
        return fusion

    def with_card(self, **changes: Any) -> None:
        """Change fields of the card, such as its metrics or its calibration.

        Raises:
            ConfigError: The fusion was not fitted.
        """
        self.card = self.require_fit().model_copy(update=changes)

    def require_fit(self) -> FusionCard:
        """Return the card.

        Raises:
            ConfigError: The fusion was not fitted.
        """
        if self.card is None:
            raise ConfigError(
                f"the fusion {self.method!r} was not fitted",
                where="fusion.type",
                hint="Fit it with `tiepoint fusion fit`, then write `type: saved` and its `path`.",
            )
        return self.card

    def _take(self, tensors: Tensors) -> None:
        self.tensors = dict(tensors)
        self.prepare()


def leads(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each candidate's score stands above the best of the others.

    This is the standing that fused scores are calibrated by: a hit that nothing else comes
    near to is right more often.

    >>> leads(np.array([5.0, 3.0, 1.0])).tolist()
    [2.0, -2.0, -4.0]
    """
    if len(scores) < 2:
        return np.zeros(len(scores))
    second, first = np.partition(scores, -2)[-2:]
    best_other = np.full(len(scores), first)
    best_other[int(scores.argmax())] = second
    return np.asarray(scores - best_other)
