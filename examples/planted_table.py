"""How well planted anomalies are found in held-out ordinary footage: no real ones are needed.

    python examples/planted_table.py DIR --json planted.json

The folder holds ordinary clips, each a folder of frames. In each clip in turn things are planted
that are too fast, or too wide; it is scored by what was fitted on the others, and by the plain
recipe fitted on the same. Settings are chosen by this table, not by labelled test clips.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from tiepoint_security.evaluation import baseline
from tiepoint_security.evaluation.planting import Kind, plant
from tiepoint_security.evaluation.ranking import Interval, compare, micro_auc
from tiepoint_security.frames.flow import lag_frames
from tiepoint_security.frames.folders import frame_folders
from tiepoint_security.frames.grey import read_grey
from tiepoint_security.normality.fitting import clip_motion, fit

FPS = 10.0
KINDS: tuple[Kind, ...] = ("fast", "wide")


def main() -> None:
    """Plant, score, print the table, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures")
    given = parser.parse_args()
    clips = [np.stack(list(read_grey(f.frames))) for f in frame_folders(given.folder)]
    motions = [clip_motion(clip, FPS) for clip in clips]
    speeds = [baseline.cell_speeds(clip, lag_frames(FPS)) for clip in clips]
    figures = {}
    for kind in KINDS:
        ours, theirs, labels = [], [], []
        for i, clip in enumerate(clips):
            planted, marked = plant(clip, kind, given.seed + i)
            camera, _ = fit([*motions[:i], *motions[i + 1 :]], FPS)
            stream = camera.stream()
            ours.append(np.array([stream.step(frame).score for frame in planted]))
            limits = baseline.row_limits([*speeds[:i], *speeds[i + 1 :]])
            cells = baseline.cell_speeds(planted, lag_frames(FPS))
            theirs.append(baseline.scores(cells, limits))
            labels.append(marked)
        gain = compare(ours, theirs, labels)
        figures[kind] = {
            "auc": micro_auc(ours, labels),
            "baseline_auc": micro_auc(theirs, labels),
            "difference_interval": None if gain is None else _ends(gain.difference),
            "p_value": None if gain is None else gain.p_value,
            "planted_frames": int(sum(marked.sum() for marked in labels)),
            "frames": sum(map(len, labels)),
        }
        print(kind, figures[kind], flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def _ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


if __name__ == "__main__":
    main()
