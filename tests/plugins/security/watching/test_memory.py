"""Freed memory goes back to the system."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tiepoint_security.benchmarks.cameras import resident_mib
from tiepoint_security.watching.memory import give_back


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc's malloc_trim")
def test_what_lies_free_between_things_that_stay_is_given_back():
    taken = [np.ones(15_000, np.uint8) for _ in range(10_000)]
    kept = taken[::20]
    before = resident_mib()
    del taken
    give_back()
    assert len(kept) == 500
    assert resident_mib() < before - 70
