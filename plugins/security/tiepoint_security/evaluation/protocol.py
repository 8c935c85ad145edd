"""The anomaly protocol: fit on ordinary clips, score labelled ones, judge the scores.

A frame's score rests on it and on earlier frames of its folder only; nothing is carried from
one folder to the next, nor from the test clips to the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.evaluation import baseline
from tiepoint_security.evaluation.alarms import alarms, false_alarms, judge, summary
from tiepoint_security.evaluation.labels import Label
from tiepoint_security.evaluation.ranking import Comparison, auc, compare, interval
from tiepoint_security.frames.flow import lag_frames
from tiepoint_security.frames.folders import FrameFolder
from tiepoint_security.frames.grey import Grey, read_grey
from tiepoint_security.normality.fitting import (
    ClipMotion,
    clip_motion,
    held_out_thresholds,
)
from tiepoint_security.normality.model import Normality
from tiepoint_security.normality.sustained import sustained

Report = Callable[[int, int | None], None]


@dataclass(frozen=True)
class ScoredClip:
    """A test clip with its labels and scores, for the frames that have a label.

    Attributes:
        name: Its folder, relative to the root.
        labels: Of its labelled frames, in order of time.
        scores: (n,) score of each of them.
        sustained: (n,) sustained score of each.
    """

    name: str
    labels: tuple[Label, ...]
    scores: NDArray[np.float64]
    sustained: NDArray[np.float64]

    @property
    def abnormal(self) -> NDArray[np.bool_]:
        """(n,) whether each labelled frame is abnormal."""
        return np.array([label.anomaly for label in self.labels])


def training_motion(
    folders: Sequence[FrameFolder], fps: float, report: Report | None = None
) -> list[ClipMotion]:
    """Return the motion of every training clip."""
    done = _Progress(folders, report)
    return [clip_motion(done.count(read_grey(f.frames)), fps) for f in folders]


def score_clips(
    normality: Normality,
    folders: Sequence[FrameFolder],
    labels: Sequence[Label],
    root: Path,
    report: Report | None = None,
) -> list[ScoredClip]:
    """Score every frame of the folders that have labels; each folder begins anew."""
    by_path = {label.path: label for label in labels}
    wanted = with_labels(folders, labels)
    done = _Progress(wanted, report)
    clips = []
    for folder in wanted:
        stream = normality.stream()
        frames = done.count(read_grey(folder.frames))
        scores = [stream.step(frame).score for frame in frames]
        steady = sustained(scores, normality.card.fps)
        found = [by_path.get(path.resolve()) for path in folder.frames]
        keep = [i for i, label in enumerate(found) if label is not None]
        clips.append(
            ScoredClip(
                str(folder.path.relative_to(root)) if folder.path != root else root.name,
                tuple(label for label in found if label is not None),
                np.array(scores)[keep],
                np.array(steady)[keep],
            )
        )
    return clips


def with_labels(folders: Sequence[FrameFolder], labels: Sequence[Label]) -> list[FrameFolder]:
    """Return the folders that hold a labelled frame."""
    named = {label.path.parent for label in labels}
    return [folder for folder in folders if folder.path.resolve() in named]


def figures(
    normality: Normality, held_out: Sequence[NDArray[np.float64]], clips: Sequence[ScoredClip]
) -> dict[str, Any]:
    """Return the figures of the protocol.

    Args:
        normality: What the clips were scored by.
        held_out: Scores of ordinary footage by models that had not seen it.
        clips: The test clips.
    """
    card = normality.card
    labels = [clip.abnormal for clip in clips]
    area = interval([clip.scores for clip in clips], labels)
    judged = [judge(c.sustained, c.abnormal, card.threshold, card.fps) for c in clips]
    return {
        "auc": None if area is None else area.value,
        "auc_interval": None if area is None else [area.low, area.high],
        "frames": sum(map(len, labels)),
        "abnormal_frames": int(sum(marked.sum() for marked in labels)),
        "threshold": card.threshold,
        "alerts_per_hour_aimed_at": card.alerts_per_hour,
        "alarms": summary(judged, card.fps),
        "held_out_false_alarms": held_out_alarms(held_out, card.fps, card.alerts_per_hour),
        "clips": [
            {
                "clip": clip.name,
                "frames": len(clip.labels),
                "abnormal_frames": int(clip.abnormal.sum()),
                "auc": auc(clip.scores, clip.abnormal),
                "events": len(found.delays),
                "times_to_alert_s": [
                    None if delay is None else delay / card.fps for delay in found.delays
                ],
                "false_alarms": found.false,
            }
            for clip, found in zip(clips, judged, strict=True)
        ],
        "fingerprint": normality.fingerprint,
        "fps": card.fps,
    }


def held_out_alarms(
    held_out: Sequence[NDArray[np.float64]], fps: float, alerts_per_hour: float
) -> dict[str, Any]:
    """Return the figures of false alarms in ordinary footage, each clip held out in turn.

    Args:
        held_out: Scores of each clip by a model that had not seen it.
        fps: Frames per second.
        alerts_per_hour: What the threshold is set for, on the other clips' scores.
    """
    thresholds = held_out_thresholds(held_out, fps, alerts_per_hour)
    raised = [
        len(alarms(sustained(scores.tolist(), fps), threshold, fps))
        for scores, threshold in zip(held_out, thresholds, strict=True)
    ]
    return false_alarms(sum(raised), sum(map(len, held_out)), fps)


def against_baseline(
    clips: Sequence[ScoredClip],
    training: Sequence[FrameFolder],
    test: Sequence[FrameFolder],
    fps: float,
    report: Report | None = None,
) -> tuple[float, Comparison] | None:
    """Score the same frames by the recipe to beat; return its micro AUC and the comparison.

    None where all labels are the same.
    """
    lag = lag_frames(fps)
    done = _Progress([*training, *test], report)
    limits = baseline.row_limits(
        [baseline.cell_speeds(done.count(read_grey(f.frames)), lag) for f in training]
    )
    theirs = []
    for folder, clip in zip(test, clips, strict=True):
        speeds = baseline.cell_speeds(done.count(read_grey(folder.frames)), lag)
        named = {label.path for label in clip.labels}
        keep = [i for i, path in enumerate(folder.frames) if path.resolve() in named]
        theirs.append(baseline.scores(speeds, limits)[keep])
    labels = [clip.abnormal for clip in clips]
    area = auc(np.concatenate(theirs), np.concatenate(labels))
    comparison = compare([clip.scores for clip in clips], theirs, labels)
    return None if area is None or comparison is None else (area, comparison)


class _Progress:
    def __init__(self, folders: Sequence[FrameFolder], report: Report | None) -> None:
        self._total = sum(len(folder.frames) for folder in folders)
        self._report = report
        self._done = 0

    def count(self, frames: Iterable[Grey]) -> Iterator[Grey]:
        for frame in frames:
            yield frame
            self._done += 1
            if self._report is not None:
                self._report(self._done, self._total)
