"""Where motion is unusual: the box is that of who moves, not of the ground behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.moving_squares import footage
from tests.plugins.security.views import put, thing, view
from tiepoint_security.normality.model import Normality
from tiepoint_security.normality.standing import Standing
from tiepoint_security.triggers.abnormal import AbnormalMotion
from tiepoint_security.triggers.base import Zones
from tiepoint_security.triggers.motion_watch import MotionWatch

BEHIND = (0.2, 0.5, 0.5, 0.8)


def unusual() -> Standing:
    """Return a frame that is hottest on the ground that a walker to the right has just left."""
    heat = np.zeros((10, 20), np.float32)
    heat[5:8, 4:10] = 2.0
    heat[5:8, 10:12] = 1.5
    return Standing(2.0, heat, BEHIND)


def trigger() -> AbnormalMotion:
    return AbnormalMotion(Zones({}, ()), MotionWatch(10.0, 60, None, learns=False), None)


def test_box_is_that_of_the_thing_which_moves_unusually() -> None:
    odd = trigger()
    walker = put(thing("1", 1.0), 0.55, 0.8, 1.0)
    other = put(thing("2", 1.0), 0.9, 0.8, 1.0)
    odd.step(view(1.0, other, walker, standing=unusual()))
    assert odd.box() == walker.box


def test_box_is_the_place_where_no_thing_is_seen_there() -> None:
    odd = trigger()
    gone = put(thing("1", 0.0), 0.55, 0.8, 0.0)
    elsewhere = put(thing("2", 1.0), 0.9, 0.8, 1.0)
    odd.step(view(1.0, gone, elsewhere, standing=unusual()))
    assert odd.box() == BEHIND


def test_frames_that_are_dropped_are_no_reason_for_an_alert(
    tmp_path: Path, camera: Normality
) -> None:
    camera.save(tmp_path)
    highest = []
    for every in (1, 2):
        watch = MotionWatch(10.0, 60, tmp_path, learns=False)
        seen = [
            watch.step(frame, number / 10)
            for number, frame in enumerate(footage(80, seed=9))
            if number % every == 0
        ]
        highest.append(max(standing.score for standing in seen if standing is not None))
    assert highest[1] < 1.2 * highest[0]
