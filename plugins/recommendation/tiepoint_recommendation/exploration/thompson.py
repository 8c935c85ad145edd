"""How likely one of several Beta variables is to be the greatest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 200


def probability_of_best(
    clicks: NDArray[np.float64], others: NDArray[np.float64], position: int
) -> float:
    """Return the probability that one Beta variable is greater than all others.

    The integral of its density times the others' distribution functions, over its own
    quantiles, by the midpoint rule; good to about 1 %.

    Args:
        clicks: (n,) the first parameters.
        others: (n,) the second ones.
        position: Which variable.

    >>> round(probability_of_best(np.array([1.0, 1.0]), np.array([1.0, 1.0]), 0), 3)
    0.5
    """
    from scipy.special import betainc, betaincinv

    levels = (np.arange(_STEPS) + 0.5) / _STEPS
    points = betaincinv(clicks[position], others[position], levels)
    rest = np.arange(len(clicks)) != position
    below = betainc(clicks[rest, None], others[rest, None], points[None, :])
    return float(max(np.prod(below, axis=0).mean(), 1e-6))
