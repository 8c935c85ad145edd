"""What is drawn for an alert: heat only where something was unusual."""

from __future__ import annotations

import numpy as np

from tiepoint_security.evidence.pictures import heat_map

FRAME = np.full((80, 120, 3), (40, 120, 200), np.uint8)


def coloured(pixels: np.ndarray) -> np.ndarray:
    """Return where a picture is not grey."""
    shown = pixels.astype(int)
    return np.ptp(shown, axis=2) > 20


def test_heat_is_shown_where_motion_was_unusual_and_nowhere_else() -> None:
    heat = np.full((10, 15), 0.4, np.float32)
    heat[2, 3] = 2.0
    shown = heat_map(FRAME, heat, 1.0)
    assert shown is not None
    where = coloured(shown)
    assert where[20, 28]
    assert not where[:, 60:].any()


def test_there_is_no_heat_map_where_nothing_was_unusual() -> None:
    assert heat_map(FRAME, np.full((10, 15), 0.7, np.float32), 1.0) is None
