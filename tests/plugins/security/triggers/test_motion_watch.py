"""What is learned of a camera's motion goes on where the process before left it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.moving_squares import footage
from tiepoint_security.normality import keeping
from tiepoint_security.normality.model import Normality
from tiepoint_security.triggers.motion_watch import MotionWatch

FPS = 10.0


def watched(folder: Path, seed: int, seconds: float = 40.0) -> MotionWatch:
    """Return a watch that saw eight seconds of a camera and ended."""
    watch = MotionWatch(FPS, seconds, folder, learns=True)
    for number, frame in enumerate(footage(80, seed)):
        watch.step(frame, number / FPS)
    watch.settle()
    watch.save()
    return watch


def test_short_recordings_add_up_to_what_is_ordinary(tmp_path: Path) -> None:
    missing = [watched(tmp_path, seed).readiness().missing for seed in range(5)]
    assert [text.split()[0] for text in missing[:4] if text] == ["32", "24", "16", "8"]
    assert not missing[4]
    assert Normality.load(tmp_path).card.frames == 400
    assert not (tmp_path / keeping.GATHERED).exists()


def test_what_was_learned_on_line_is_carried_over_and_added_to(
    tmp_path: Path, camera: Normality
) -> None:
    camera.save(tmp_path)
    sums = []
    for seed in range(20, 23):
        watched(tmp_path, seed)
        counts = keeping.learnt(tmp_path, camera.fingerprint)
        assert counts is not None
        sums.append(float(counts.sum()))
    assert 0 < sums[0] < sums[1] < sums[2]
    later = camera.stream(learns=True, learnt=keeping.learnt(tmp_path, camera.fingerprint))
    assert not np.array_equal(later.limits, camera.stream(learns=True).limits)


def test_what_was_learned_of_another_fit_is_left_alone(tmp_path: Path, camera: Normality) -> None:
    camera.save(tmp_path)
    watched(tmp_path, 20)
    assert keeping.learnt(tmp_path, "another") is None


def test_damaged_files_are_learned_anew(tmp_path: Path) -> None:
    watched(tmp_path, 0)
    (tmp_path / keeping.GATHERED).write_bytes(b"nothing")
    missing = watched(tmp_path, 1).readiness().missing
    assert missing is not None
    assert missing.startswith("32 s")
