"""Calibration: what a similarity means, as a probability or as a rate.

Two kinds that are never mixed. `MatchProbability` is fitted on held-out pairs and says how
probable it is that the top hit is right. `BackgroundQuantile` is fitted on unlabelled ordinary
data and says how rare a score is there, so that a threshold means so many alerts an hour.
Thresholds set on these survive a change of encoder.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from tiepoint.errors import InputError

_TAIL = 0.1
_KNOTS = 200
_FEWEST_QUERIES = 30


class MatchProbability(BaseModel):
    """From the similarity of the top hit to the probability that it is right.

    The log-odds are linear in the similarity, in its standing above the query's background, and
    in the logarithm of the gallery's size: in a gallery twice as large there are twice as many
    wrong items that can reach a similarity. `platt` (Platt, 1999) stops there; `isotonic`
    (Zadrozny and Elkan, 2002) bends the result to what was observed, monotonously.

    Attributes:
        kind: `isotonic` or `platt`.
        slope: Of the similarity in the log-odds.
        standing_slope: Of the similarity in spreads above the query's background.
        size_slope: Of the log of the gallery's size in the log-odds; not positive.
        intercept: Of the log-odds.
        log_odds: Knots of the isotonic map; empty for `platt`.
        probabilities: Its values at the knots.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["isotonic", "platt"]
    slope: float = Field(ge=0, allow_inf_nan=False)
    standing_slope: float = Field(ge=0, allow_inf_nan=False)
    size_slope: float = Field(le=0, allow_inf_nan=False)
    intercept: float = Field(allow_inf_nan=False)
    log_odds: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        scores: ArrayLike,
        standardised: ArrayLike,
        sizes: ArrayLike,
        correct: ArrayLike,
        kind: Literal["isotonic", "platt"] = "isotonic",
    ) -> Self:
        """Fit on the top hits of held-out queries.

        Args:
            scores: (n,) similarity of each query's top hit.
            standardised: (n,) how many spreads it stands above the query's background.
            sizes: (n,) how many items its gallery had; several sizes teach their effect.
            correct: (n,) whether the top hit was right.
            kind: `isotonic` or `platt`.

        Raises:
            InputError: Too few queries, or all right, or all wrong.
        """
        from sklearn.isotonic import IsotonicRegression

        columns = [np.asarray(column, np.float64) for column in (scores, standardised)]
        columns.append(-np.log(np.asarray(sizes, np.float64)))
        right = np.asarray(correct, bool)
        if len(right) < _FEWEST_QUERIES or right.all() or not right.any():
            raise InputError(
                f"{len(right)} held-out queries, {right.sum()} of them answered rightly, are not"
                " enough to calibrate by",
                hint=f"Give at least {_FEWEST_QUERIES}, some of them right and some wrong.",
            )
        (slope, standing_slope, size_slope), intercept = _line(columns, right)
        platt = cls(
            kind="platt",
            slope=slope,
            standing_slope=standing_slope,
            size_slope=-size_slope,
            intercept=intercept,
        )
        if kind == "platt":
            return platt
        z = platt._log_odds(columns[0], columns[1], -columns[2])
        curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(z, right)
        knots = np.unique(np.quantile(z, np.linspace(0, 1, _KNOTS)))
        return platt.model_copy(
            update={
                "kind": "isotonic",
                "log_odds": tuple(knots.tolist()),
                "probabilities": tuple(curve.predict(knots).tolist()),
            }
        )

    def __call__(
        self, scores: ArrayLike, standardised: ArrayLike, sizes: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the probability of each similarity.

        Args:
            scores: (n,) similarities.
            standardised: (n,) how many spreads they stand above the query's background.
            sizes: How many items the gallery has; one number or (n,), at least 1.
        """
        z = self._log_odds(
            np.asarray(scores, np.float64),
            np.asarray(standardised, np.float64),
            np.log(np.maximum(np.asarray(sizes, np.float64), 1)),
        )
        if self.kind == "isotonic":
            return np.asarray(np.interp(z, self.log_odds, self.probabilities), np.float64)
        return np.asarray(1 / (1 + np.exp(-z)), np.float64)

    def _log_odds(
        self,
        scores: NDArray[np.float64],
        standardised: NDArray[np.float64],
        log_sizes: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        z = self.slope * scores + self.standing_slope * standardised
        return np.asarray(
            np.clip(z + self.size_slope * log_sizes + self.intercept, -50, 50), np.float64
        )


def _line(
    columns: list[NDArray[np.float64]], right: NDArray[np.bool_]
) -> tuple[list[float], float]:
    """Logistic regression without negative slopes: a column that has one is left out."""
    from sklearn.linear_model import LogisticRegression

    spreads = [max(float(column.std()), 1e-9) for column in columns]
    slopes = [0.0] * len(columns)
    used = [i for i, column in enumerate(columns) if column.std() > 0]
    intercept = float(np.log(right.mean() / (1 - right.mean())))
    while used:
        features = np.stack([columns[i] / spreads[i] for i in used], 1)
        line = LogisticRegression(C=np.inf, max_iter=1000).fit(features, right)
        worst = int(line.coef_[0].argmin())
        if line.coef_[0, worst] >= 0:
            for i, slope in zip(used, line.coef_[0], strict=True):
                slopes[i] = float(slope) / spreads[i]
            intercept = float(line.intercept_[0])
            break
        used.pop(worst)
    return slopes, intercept


class BackgroundQuantile(BaseModel):
    """How rare a score is on ordinary data.

    Inside the data the quantiles are theirs; beyond the highest tenth the tail is a
    generalised Pareto distribution (Pickands, 1975), as alerts are rarer than what was seen.

    Attributes:
        grid: The scores at evenly spaced quantiles, from the lowest to where the tail starts.
        tail_share: Share of the data in the tail.
        shape: Of the tail; at most 0.5, so that a few odd values do not make it endless.
        scale: Of the tail; positive.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    grid: tuple[float, ...] = Field(min_length=2)
    tail_share: float = Field(gt=0, lt=1)
    shape: float = Field(le=0.5, allow_inf_nan=False)
    scale: float = Field(gt=0, allow_inf_nan=False)

    @classmethod
    def fit(cls, scores: ArrayLike) -> Self:
        """Fit on (n,) scores of ordinary data, at least 100, without labels.

        Raises:
            InputError: Too few scores, or values that are not finite.
        """
        s = np.sort(np.asarray(scores, np.float64).ravel())
        if len(s) < 100 or not np.isfinite(s).all():
            raise InputError(
                f"{len(s)} scores of ordinary data are not enough, or not finite",
                hint="Give at least 100 finite scores.",
            )
        grid = np.quantile(s, np.linspace(0, 1 - _TAIL, _KNOTS))
        beyond = s[s > grid[-1]] - grid[-1]
        shape, scale = _pareto(beyond)
        return cls(grid=tuple(grid.tolist()), tail_share=_TAIL, shape=shape, scale=scale)

    def exceedance(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the share of ordinary data that scores at least this high, 0 to 1."""
        s = np.asarray(scores, np.float64)
        levels = np.linspace(1, self.tail_share, len(self.grid))
        inside = np.interp(s, self.grid, levels)
        over = np.maximum(s - self.grid[-1], 0) / self.scale
        if abs(self.shape) < 1e-9:
            tail = np.exp(-over)
        else:
            tail = np.maximum(1 + self.shape * over, 0) ** (-1 / self.shape)
        return np.where(s > self.grid[-1], self.tail_share * tail, inside)

    def threshold(self, exceedance: float) -> float:
        """Return the score that this share of ordinary data reaches.

        For so many alerts an hour, divide them by the scores that are made in an hour.

        Raises:
            InputError: The share is not between 0 and 1.
        """
        if not 0 < exceedance < 1:
            raise InputError(f"the share is {exceedance}", hint="Give one between 0 and 1.")
        if exceedance >= self.tail_share:
            levels = np.linspace(1, self.tail_share, len(self.grid))
            return float(np.interp(-exceedance, -levels, self.grid))
        ratio = exceedance / self.tail_share
        if abs(self.shape) < 1e-9:
            return self.grid[-1] - self.scale * float(np.log(ratio))
        return float(self.grid[-1] + self.scale / self.shape * (ratio**-self.shape - 1))


def _pareto(beyond: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale of a tail by probability-weighted moments (Hosking and Wallis, 1987)."""
    n = len(beyond)
    if n < 2 or beyond.mean() <= 0:
        return 0.0, 1e-9
    levels = (np.arange(1, n + 1) - 0.35) / n
    mean = float(beyond.mean())
    weighted = float(np.mean(np.sort(beyond) * (1 - levels)))
    ratio = mean / max(mean - 2 * weighted, 1e-12)
    return float(np.clip(2 - ratio, -0.5, 0.5)), max(2 * weighted * ratio, 1e-9)
