"""Fight-like motion."""

from __future__ import annotations

import numpy as np
import pytest

from tests.moving_squares import put
from tiepoint_security.behaviour.fights import FightStream, default_weights, opposed_motion


def scene(opposed: bool) -> list[np.ndarray]:
    """Two textured things side by side: they walk together, or push to and fro."""
    if opposed:
        return moving([(100 + 4 * (-1) ** t, 118 - 4 * (-1) ** t) for t in range(20)])
    return moving([(100 + 3 * t, 118 + 3 * t) for t in range(20)])


def moving(places: list[tuple[float, float]]) -> list[np.ndarray]:
    """Two textured things at these places from the left, frame by frame."""
    chance = np.random.default_rng(0)
    textures = [chance.integers(0, 255, (16, 16)).astype(np.uint8) for _ in range(2)]
    background = chance.integers(90, 110, (180, 240)).astype(np.uint8)
    frames = []
    for left, right in places:
        picture = background.copy()
        put(picture, textures[0], left, 80)
        put(picture, textures[1], right, 80)
        frames.append(picture)
    return frames


def last_score(frames: list[np.ndarray]) -> float:
    stream = FightStream()
    return [stream.step(frame) for frame in frames][-1]


def test_pushing_to_and_fro_is_more_like_a_fight_than_walking_together() -> None:
    assert last_score(scene(opposed=True)) > 0.7
    assert last_score(scene(opposed=False)) < 0.5


def test_still_scene_is_no_fight() -> None:
    assert last_score([scene(opposed=True)[0]] * 20) < 0.05


def test_score_waits_for_half_a_window() -> None:
    stream = FightStream()
    scores = [stream.step(frame) for frame in scene(opposed=True)]
    assert scores[:10] == [0] * 10
    assert all(score > 0 for score in scores[10:])


def test_dropped_frames_make_nobody_fight() -> None:
    passing = moving([(60 + 2 * t, 160 - 2 * t) for t in range(40)])
    stream = FightStream()
    dropped = [stream.step(frame, 2) for frame in passing[::2]][-1]
    assert dropped == pytest.approx(last_score(passing), abs=0.05)
    assert last_score(passing[18::2]) > dropped + 0.05  # as if twice as fast


def test_what_was_seen_before_a_long_pause_no_longer_counts() -> None:
    stream = FightStream()
    frames = scene(opposed=True)
    assert [stream.step(frame) for frame in frames][-1] > 0.7
    assert stream.step(frames[0], 50) == 0


def test_motion_of_the_whole_picture_is_not_opposed() -> None:
    flow = np.full((90, 120, 2), 3, np.float32)
    assert opposed_motion(flow).speed < 1e-3


def test_weights_come_with_the_package() -> None:
    weights = default_weights()
    assert min(weights.slopes) > 0
    assert weights.clips == 60
