"""Click-through of the arms of an experiment, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What the users of one arm did.

    Attributes:
        arm: Its name.
        users: How many were shown something.
        shown: Items shown.
        clicked: Of these, how many were clicked.
        rate: Click-through: clicked over shown; nan where nothing was shown.
        low: Lower end of its 95 % interval.
        high: Its upper end.
        difference: Its rate less that of the first arm; None for the first arm.
        difference_low: Lower end of the 95 % interval of the difference.
        difference_high: Its upper end.
    """

    arm: str
    users: int
    shown: int
    clicked: int
    rate: float
    low: float
    high: float
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain data; nan becomes None."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


def results(by_arm: Mapping[str, NDArray[np.int64]]) -> list[ArmResult]:
    """Return each arm's click-through, and how it differs from that of the first.

    What one user is shown and clicks belongs together, so the intervals count users, not
    shows: the delta method for a ratio of sums (Deng, Knoblich and Lu, KDD 2018).

    Args:
        by_arm: (users, 2) shown and clicked items of each user, by arm.
    """
    found: list[ArmResult] = []
    first: tuple[float, float] | None = None
    for arm, users in by_arm.items():
        rate, spread = _rate(users)
        reach = _NORMAL_95 * spread
        shown, clicked = (int(total) for total in users.sum(axis=0)) if len(users) else (0, 0)
        result = ArmResult(arm, len(users), shown, clicked, rate, rate - reach, rate + reach)
        if first is None:
            first = rate, spread
            found.append(result)
            continue
        gap, reach = rate - first[0], _NORMAL_95 * math.hypot(spread, first[1])
        values = {"difference": gap, "difference_low": gap - reach, "difference_high": gap + reach}
        found.append(ArmResult(**{**asdict(result), **values}))
    return found


def _rate(users: NDArray[np.int64]) -> tuple[float, float]:
    """Return clicked over shown and its standard error."""
    if not len(users) or not users[:, 0].sum():
        return math.nan, math.nan
    shown, clicked = users[:, 0].astype(np.float64), users[:, 1].astype(np.float64)
    rate = clicked.sum() / shown.sum()
    if len(users) < 2:
        return float(rate), math.nan
    left = np.sum((clicked - rate * shown) ** 2) * len(users) / (len(users) - 1)
    return float(rate), float(np.sqrt(left) / shown.sum())
