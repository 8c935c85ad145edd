"""One weight for each route, learned from labelled queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.encoders.base import Vectors
from tiepoint.errors import InputError
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.examples import FusionExamples, Rows
from tiepoint.fusion.fitted import FittedFusion, FusionOptions

_MOST_STEPS = 200


class LearnedWeightsOptions(FusionOptions):
    """Options of `LearnedWeights`.

    Attributes:
        regularisation: Of the weights' squares; keeps them finite where one route is always
            right.
    """

    regularisation: float = Field(default=1e-3, ge=0, allow_inf_nan=False)


class LearnedWeights(FittedFusion):
    """Adds weight x standardised similarity, with the weights that labelled queries teach.

    The weights maximise the likelihood that a relevant item is picked from among a query's
    candidates, where the log-odds of an item are the weighted sum (McFadden's conditional
    logit, 1974; the ListNet loss of a single relevant item). They are not negative.
    """

    method = "learned-weights"
    Options = LearnedWeightsOptions
    options: LearnedWeightsOptions

    def learn(
        self, examples: FusionExamples, val: FusionExamples | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        weights = learned_weights(examples, self.options.regularisation)
        settings.tell(1, 1)
        return {"weights": weights.astype(np.float32)}, []

    def prepare(self) -> None:
        self._weights = dict(zip(self.routes, self.tensors["weights"].tolist(), strict=True))

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each route."""
        return dict(self._weights)

    def weigh(self, routes: Sequence[RouteScores]) -> list[float]:
        return [self._weights[route.route] for route in routes]


def learned_weights(examples: FusionExamples, regularisation: float) -> NDArray[np.float64]:
    """Return (r,) weights of the routes, at least one of them positive.

    Args:
        examples: At least one query can teach.
        regularisation: Of the weights' squares.

    Raises:
        InputError: No route puts relevant items above others more often than chance.
    """
    from scipy.optimize import minimize

    standing, links = examples.known_standing(), examples.links
    taught = np.unique(links[:, 0])
    row_of = np.searchsorted(taught, links[:, 0])
    standing = standing[taught]
    # A relevant candidate does not compete with the query's other relevant ones.
    rivals = examples.rivals[taught]
    right = standing[row_of, links[:, 1]].astype(np.float64)

    def objective(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        loss, gradient = _choice_loss(weights, standing, rivals, right, row_of)
        return (
            loss + regularisation * float(weights @ weights),
            gradient + 2 * regularisation * weights,
        )

    n = standing.shape[2]
    found = minimize(
        objective,
        np.full(n, 0.5 / n),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * n,
        options={"maxiter": _MOST_STEPS},
    )
    weights = np.asarray(found.x, np.float64)
    if not (weights > 1e-6).any():
        raise InputError(
            "no route puts the relevant items above the others, so there is nothing to weigh",
            hint="Check that the relevant ids belong to their queries.",
        )
    return weights


def _choice_loss(
    weights: NDArray[np.float64],
    standing: Vectors,
    rivals: NDArray[np.bool_],
    right: NDArray[np.float64],
    row_of: Rows,
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean negative log-likelihood of the choices, and its gradient.

    Args:
        weights: (r,).
        standing: (q, c, r).
        rivals: (q, c) candidates that a relevant one competes with.
        right: (n, r) standings of the relevant ones.
        row_of: (n,) their queries.
    """
    scores = np.where(rivals, standing @ weights, -np.inf)
    highest = scores.max(1, keepdims=True)
    shares = np.exp(scores - highest)
    total = shares.sum(1)
    log_total = np.log(total) + highest[:, 0]
    expected = np.einsum("qc,qcr->qr", shares / total[:, None], standing)
    margin = log_total[row_of] - right @ weights
    # The relevant one is in the sum, too: -log(e^right / (e^right + sum of e^rival)).
    loss = np.logaddexp(0, margin)
    wrong = np.exp(margin - loss)
    gradient = (wrong[:, None] * (expected[row_of] - right)).mean(0)
    return float(loss.mean()), np.asarray(gradient, np.float64)
