"""A camera fitted on made footage."""

from __future__ import annotations

import pytest

from tests.moving_squares import footage
from tiepoint_security.normality.fitting import clip_motion, fit
from tiepoint_security.normality.model import Normality


@pytest.fixture(scope="session")
def camera() -> Normality:
    """What is ordinary where squares move slowly."""
    return fit([clip_motion(footage(80, seed), 10.0) for seed in range(5)], 10.0)[0]
