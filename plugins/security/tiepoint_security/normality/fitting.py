"""Fit a camera's normality; the threshold comes from clips held out in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiepoint import cards
from tiepoint.errors import InputError
from tiepoint.fusion.calibration import BackgroundQuantile
from tiepoint_security.frames.flow import lag_frames
from tiepoint_security.frames.grey import Grey
from tiepoint_security.normality.card import NormalityCard
from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.model import Normality, counts_content
from tiepoint_security.normality.speeds import Counts, count, limits, no_counts
from tiepoint_security.normality.standing import MotionStream, StandingStream
from tiepoint_security.normality.sustained import sustained

ALERTS_PER_HOUR = 1.0
_FEWEST_CLIPS = 2
_FEWEST_FRAMES = 200
_PARTS = 4
_LEAST = 0.1  # of the limit: footage in which nothing moves would set it to nothing
_ALARM_S = 0.6  # an alarm lasts at least as long, so that a rate of alarms is one of frames


@dataclass(frozen=True)
class ClipMotion:
    """The motion of one clip of ordinary footage.

    Attributes:
        size: Height and width of its working picture.
        motions: By cells, one for each frame.
    """

    size: tuple[int, int]
    motions: tuple[CellMotion, ...]

    @cached_property
    def counts(self) -> Counts:
        """How its cells moved."""
        counts = no_counts(len(self.motions[0].speed))
        for motion in self.motions:
            count(counts, motion)
        return counts

    def parts(self, count: int) -> list[ClipMotion]:
        """Return it cut into stretches of about the same length."""
        edges = np.linspace(0, len(self.motions), count + 1).astype(int)
        return [
            ClipMotion(self.size, self.motions[begin:end])
            for begin, end in pairwise(edges)
            if end > begin
        ]


def clip_motion(frames: Iterable[Grey], fps: float) -> ClipMotion:
    """Return the motion of a clip.

    Raises:
        InputError: It has no frames, or they change their size.
    """
    stream = MotionStream(lag_frames(fps))
    motions: list[CellMotion] = []
    size: tuple[int, int] | None = None
    for frame in frames:
        height, width = frame.shape
        if size not in (None, (height, width)):
            raise InputError(
                f"frame {len(motions)} is {width} x {height}, and those before it are not",
                hint="Give the stretches of different size as clips of their own.",
            )
        size = (height, width)
        motions.append(stream.step(frame))
    if size is None:
        raise InputError("the clip has no frames", hint="Leave it out.")
    return ClipMotion(size, tuple(motions))


def fit(
    clips: Sequence[ClipMotion],
    fps: float,
    alerts_per_hour: float = ALERTS_PER_HOUR,
    report: Callable[[int, int | None], None] | None = None,
) -> tuple[Normality, list[NDArray[np.float64]]]:
    """Fit on the motion of ordinary clips.

    Args:
        clips: At least one; a single one is cut into parts, to hold them out in turn.
        fps: Frames per second.
        alerts_per_hour: How many alarms an hour of ordinary footage may raise; the threshold
            is set for it, beyond what was seen by the tail of the held-out scores.
        report: Told how many clips have been held out.

    Returns:
        The normality, and the scores of each clip (or part) by all the others.

    Raises:
        InputError: Too little footage, or clips of different size.
    """
    _check(clips)
    parts = list(clips) if len(clips) >= _FEWEST_CLIPS else clips[0].parts(_PARTS)
    total = sum((part.counts for part in parts), np.zeros_like(parts[0].counts))
    held_out = []
    for done, part in enumerate(parts):
        if report is not None:
            report(done, len(parts))
        held_out.append(_scores(part, total - part.counts, fps))
    background = BackgroundQuantile.fit(_steady(held_out, fps))
    content = counts_content(total)
    height, width = clips[0].size
    card = NormalityCard(
        fps=fps,
        lag=lag_frames(fps),
        width=width,
        height=height,
        clips=len(clips),
        frames=sum(len(clip.motions) for clip in clips),
        data=cards.sha256(b"".join(counts_content(clip.counts) for clip in clips)),
        background=background,
        alerts_per_hour=alerts_per_hour,
        threshold=threshold_for(background, alerts_per_hour),
        date=cards.now(),
        tiepoint_security=version("tiepoint-security"),
        versions=cards.versions(("numpy", "opencv-python", "safetensors")),
        sha256=cards.sha256(content),
    )
    return Normality(total, card), held_out


def held_out_thresholds(
    held_out: Sequence[NDArray[np.float64]], fps: float, alerts_per_hour: float
) -> list[float]:
    """Return, for each held-out clip, the threshold that the other clips alone would set.

    So alarms in ordinary footage are counted at thresholds that did not see it either.
    """
    return [
        threshold_for(
            BackgroundQuantile.fit(_steady([*held_out[:i], *held_out[i + 1 :]], fps)),
            alerts_per_hour,
        )
        for i in range(len(held_out))
    ]


def _steady(held_out: Sequence[NDArray[np.float64]], fps: float) -> NDArray[np.float64]:
    return np.concatenate([sustained(scores.tolist(), fps) for scores in held_out])


def threshold_for(background: BackgroundQuantile, alerts_per_hour: float) -> float:
    """Return the sustained score that ordinary footage reaches so many times an hour."""
    windows_per_hour = 3600 / _ALARM_S
    share = min(0.5, alerts_per_hour / windows_per_hour)
    return max(background.threshold(share), _LEAST)


def _scores(clip: ClipMotion, counts: Counts, fps: float) -> NDArray[np.float64]:
    stream = StandingStream(limits(counts), lag_frames(fps))
    return np.array([stream.step(motion).score for motion in clip.motions])


def _check(clips: Sequence[ClipMotion]) -> None:
    frames = sum(len(clip.motions) for clip in clips)
    if frames < _FEWEST_FRAMES:
        raise InputError(
            f"{frames} frames of ordinary footage are too few to tell what is ordinary",
            hint=f"Give at least {_FEWEST_FRAMES - frames} more; minutes are better.",
        )
    sizes = sorted({clip.size for clip in clips})
    if len(sizes) > 1:
        raise InputError(
            "the clips are of different size: "
            + ", ".join(f"{width} x {height}" for height, width in sizes),
            hint="Fit each camera by itself.",
        )
