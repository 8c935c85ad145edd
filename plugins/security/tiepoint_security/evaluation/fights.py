"""Fight-like motion measured on labelled clips, by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.behaviour.fights import FightWeights, opposed_motion, window_features
from tiepoint_security.evaluation.ranking import auc
from tiepoint_security.frames.flow import LaggedFlow

_FOLDS = 5
_REPEATS = 20
_SAME_SCENE = 0.8  # correlation of the clips' mean pictures
_PENALTY = 0.1  # inverse strength; two features need little
_RESAMPLES = 2000


@dataclass(frozen=True)
class FightFigures:
    """How well fights are told from other motion.

    Attributes:
        auc: Clip AUC, mean over repeated cross-validations.
        spread: Its standard deviation over them.
        low: Lower end of the central 95 % when scenes are drawn anew.
        high: Upper end.
        scenes: Number of different scenes; the clips of one are never in both parts.
        scores: (n,) held-out score of each clip, mean over the repeats.
    """

    auc: float
    spread: float
    low: float
    high: float
    scenes: int
    scores: NDArray[np.float64]


def clip_features(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the features of a clip, (2,), from (frames, h, w) uint8."""
    stream = LaggedFlow(1)
    flows = [stream.step(frame) for frame in frames]
    return window_features(opposed_motion(flow) for flow in flows[1:])


def scenes_of(mean_pictures: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which scene each clip shows, (n,), from small mean pictures (n, pixels)."""
    from scipy.sparse.csgraph import connected_components

    alike = np.corrcoef(mean_pictures) > _SAME_SCENE
    return np.asarray(connected_components(alike)[1], np.int64)


def fit_weights(
    features: NDArray[np.float64], fights: NDArray[np.bool_], measured_auc: float, data: str
) -> FightWeights:
    """Fit the weights on all clips, with the features in their own units."""
    mean, scale, line = _fitted(features, fights)
    slopes = line[:2] / scale
    return FightWeights(
        slopes=(float(slopes[0]), float(slopes[1])),
        intercept=float(line[2] - mean @ slopes),
        clips=len(fights),
        auc=measured_auc,
        data=data,
    )


def cross_validate(
    features: NDArray[np.float64], fights: NDArray[np.bool_], scenes: NDArray[np.int64]
) -> FightFigures:
    """Score every clip by a fit that saw neither it nor another clip of its scene.

    Args:
        features: (n, 2).
        fights: (n,) whether each clip shows a fight.
        scenes: (n,) from `scenes_of`.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rounds = []
    for seed in range(_REPEATS):
        held_out = np.zeros(len(fights))
        folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
        for fitted, other in folds.split(features, fights, scenes):
            mean, scale, line = _fitted(features[fitted], fights[fitted])
            held_out[other] = (features[other] - mean) / scale @ line[:2] + line[2]
        rounds.append(held_out)
    areas = [auc(scores, fights) or 0.0 for scores in rounds]
    scores = np.mean(rounds, axis=0)
    low, high = _interval(scores, fights, scenes)
    return FightFigures(
        float(np.mean(areas)), float(np.std(areas)), low, high, int(scenes.max()) + 1, scores
    )


def _fitted(
    features: NDArray[np.float64], fights: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    mean, scale = features.mean(0), features.std(0)
    line = LogisticRegression(C=_PENALTY).fit((features - mean) / scale, fights)
    return mean, scale, np.append(line.coef_[0], line.intercept_)


def _interval(
    scores: NDArray[np.float64], fights: NDArray[np.bool_], scenes: NDArray[np.int64]
) -> tuple[float, float]:
    members = [np.flatnonzero(scenes == scene) for scene in range(int(scenes.max()) + 1)]
    draws = np.random.default_rng(0).integers(len(members), size=(_RESAMPLES, len(members)))
    areas = []
    for draw in draws:
        rows = np.concatenate([members[scene] for scene in draw])
        area = auc(scores[rows], fights[rows])
        if area is not None:
            areas.append(area)
    low, high = np.percentile(areas, [2.5, 97.5])
    return float(low), float(high)
