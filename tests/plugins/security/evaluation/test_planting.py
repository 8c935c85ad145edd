"""Anomalies planted in ordinary footage."""

from __future__ import annotations

import numpy as np
import pytest

from tests.moving_squares import footage
from tiepoint_security.evaluation.planting import followed, plant


def test_things_are_followed() -> None:
    tracks = followed(footage(90, seed=1))
    assert tracks
    assert all(len(track) >= 40 for track in tracks)


@pytest.mark.parametrize("kind", ["fast", "wide"])
def test_planted_frames_are_marked_and_others_are_as_they_were(kind: str) -> None:
    clip = footage(90, seed=1)
    planted, marked = plant(clip, kind, seed=3)
    assert 0 < marked.sum() < len(clip)
    change = np.abs(planted.astype(int) - clip).max((1, 2))
    assert np.median(change[marked]) > 50 > change[~marked].max()
