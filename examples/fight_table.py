"""How well fight-like motion is told from other motion, on clips made alike.

    python examples/fight_table.py DIR --json fights.json

The folder holds clips and `manifest.csv` with the columns `file,label`, where the label is `fight`
or another word. Every clip is brought to one size, frame rate, length and bitrate first. Clips of
one scene are never in both parts of the cross-validation. The table also says what the size of the
files alone would give. `--weights FILE` writes weights fitted on all clips.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import cv2
import numpy as np

from tiepoint_security.behaviour.uniform_clips import uniform_clip
from tiepoint_security.evaluation.fights import (
    clip_features,
    cross_validate,
    fit_weights,
    scenes_of,
)
from tiepoint_security.evaluation.ranking import auc

THUMBNAIL = (24, 18)


def main() -> None:
    """Measure, print the table, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--weights", type=Path, help="write weights fitted on all clips")
    parser.add_argument("--data", default="", help="what the clips are, for the weights' card")
    given = parser.parse_args()
    with (given.folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted((row["file"], row["label"] == "fight") for row in csv.DictReader(file))
    fights = np.array([fight for _, fight in rows])
    clips = [uniform_clip(given.folder / name) for name, _ in rows]
    features = np.stack([clip_features(clip) for clip in clips])
    scenes = scenes_of(np.stack([cv2.resize(clip.mean(0), THUMBNAIL).ravel() for clip in clips]))
    found = cross_validate(features, fights, scenes)
    sizes = np.array([float((given.folder / name).stat().st_size) for name, _ in rows])
    figures = {
        "clips": len(rows),
        "scenes": found.scenes,
        "auc": found.auc,
        "auc_spread_over_splits": found.spread,
        "auc_interval_over_scenes": [found.low, found.high],
        "auc_opposed_speed_alone": auc(features[:, 0], fights),
        "auc_opposed_share_alone": auc(features[:, 1], fights),
        "auc_file_size_before": auc(sizes, fights),
        "scores": {name: float(s) for (name, _), s in zip(rows, found.scores, strict=True)},
    }
    for name, value in figures.items():
        if name != "scores":
            print(f"{name:26} {value}")
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if given.weights is not None:
        weights = fit_weights(features, fights, round(found.auc, 3), given.data)
        given.weights.write_text(weights.model_dump_json(indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
