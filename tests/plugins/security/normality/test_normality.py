"""What is ordinary on a camera, and what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.moving_squares import FAST, HEIGHT, ROWS, SIDE, WIDTH, footage
from tiepoint.errors import DecodeError, InputError
from tiepoint_security.normality.card import SAVED
from tiepoint_security.normality.fitting import clip_motion, fit
from tiepoint_security.normality.model import Normality


def scores(camera: Normality, pictures: np.ndarray) -> list[float]:
    stream = camera.stream()
    return [stream.step(picture).score for picture in pictures]


def test_fast_square_alarms_within_a_second_and_ordinary_ones_do_not(camera: Normality) -> None:
    stream = camera.stream()
    alarming = []
    for picture in footage(60, seed=50, fast_from=30):
        stream.step(picture)
        alarming.append(stream.alarming)
    assert not any(alarming[:30])
    assert any(alarming[30:45])


def test_box_shows_the_fast_square(camera: Normality) -> None:
    stream = camera.stream()
    standings = [stream.step(picture) for picture in footage(60, seed=51, fast_from=30)]
    standing = max(standings, key=lambda found: found.score)
    t = standings.index(standing)
    assert standing.box is not None
    left, top, right, bottom = standing.box
    x = FAST * (t - 30) - SIDE / 2
    assert left * WIDTH - 8 <= x <= right * WIDTH + 8
    assert top * HEIGHT <= ROWS[1] + SIDE / 2 <= bottom * HEIGHT


def test_scores_of_a_cut_off_clip_are_those_of_the_whole_up_to_the_cut(camera: Normality) -> None:
    whole = footage(60, seed=52, fast_from=20)
    assert scores(camera, whole[:37]) == scores(camera, whole)[:37]


def test_every_stream_begins_anew(camera: Normality) -> None:
    clip = footage(30, seed=53, fast_from=10)
    first = scores(camera, clip)
    assert scores(camera, clip) == first
    assert first[0] == 0


def test_saved_camera_gives_the_same_scores(camera: Normality, tmp_path: Path) -> None:
    clip = footage(30, seed=54, fast_from=10)
    loaded = Normality.load(camera.save(tmp_path / "camera"))
    assert scores(loaded, clip) == scores(camera, clip)
    assert loaded.fingerprint == camera.fingerprint
    assert {path.suffix for path in (tmp_path / "camera").iterdir()} == {".json", ".safetensors"}


@pytest.mark.parametrize("damage", ["cut", "card", "missing"])
def test_damaged_camera_is_refused(camera: Normality, tmp_path: Path, damage: str) -> None:
    camera.save(tmp_path)
    if damage == "cut":
        (tmp_path / SAVED.tensors).write_bytes((tmp_path / SAVED.tensors).read_bytes()[:-1])
    elif damage == "card":
        (tmp_path / SAVED.card).write_text("{}")
    else:
        (tmp_path / SAVED.card).unlink()
    with pytest.raises(InputError):
        Normality.load(tmp_path)


def test_frame_of_another_size_is_refused(camera: Normality) -> None:
    with pytest.raises(DecodeError, match="80 x 48"):
        camera.stream().step(np.zeros((48, 80), np.uint8))


def test_too_little_footage_says_how_much_more() -> None:
    with pytest.raises(InputError, match="at least 150 more"):
        fit([clip_motion(footage(50, seed=1), 10.0)], 10.0)


def test_clips_of_different_size_are_refused() -> None:
    small = clip_motion(footage(150, seed=1)[:, :96], 10.0)
    with pytest.raises(InputError, match="different size"):
        fit([small, clip_motion(footage(150, seed=2), 10.0)], 10.0)


def test_single_clip_is_held_out_by_parts() -> None:
    camera, held_out = fit([clip_motion(footage(240, seed=3), 10.0)], 10.0)
    assert sum(map(len, held_out)) == 240
    assert len(held_out) > 1
    assert camera.card.clips == 1


def test_still_footage_has_a_threshold_and_stays_quiet() -> None:
    still = np.full((250, 48, 64), 90, np.uint8)
    camera, _ = fit([clip_motion(still, 10.0)], 10.0)
    stream = camera.stream()
    for picture in still[:20]:
        stream.step(picture)
        assert not stream.alarming
