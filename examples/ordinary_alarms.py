"""False alarms in ordinary footage: each video is a camera of its own, held out part by part.

    python examples/ordinary_alarms.py car.mp4 people.mp4 --json alarms.json

A camera's normality is fitted on three quarters of its video and raises alarms in the fourth, at
a threshold that has not seen that quarter either; so each quarter in turn. `--loops N` lengthens
each video by playing it N times with fresh noise: this tests the noise, not the world, and is
counted apart for that reason.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint_security.evaluation.alarms import false_alarms
from tiepoint_security.evaluation.protocol import held_out_alarms
from tiepoint_security.frames.grey import Grey, grey_of
from tiepoint_security.normality.fitting import ALERTS_PER_HOUR, clip_motion, fit

FPS = 10.0
NOISE = 3.0  # grey levels, standard deviation


def main() -> None:
    """Count the alarms, print the table, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--loops", type=int, default=1, help="how often each video is played")
    parser.add_argument("--json", type=Path, help="write the figures")
    given = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    for video in given.videos:
        _, held_out = fit([clip_motion(frames(video, given.loops), FPS)], FPS)
        rows[video.name] = held_out_alarms(held_out, FPS, ALERTS_PER_HOUR)
    count = sum(row["count"] for row in rows.values())
    hours = sum(row["hours"] for row in rows.values())
    rows["together"] = false_alarms(count, round(hours * 3600 * FPS), FPS)
    for name, row in rows.items():
        print(
            f"{name:36} {row['count']:3} alarms in {row['hours']:.4f} h;"
            f" at most {row['per_hour_upper_95']:.1f} an hour (95 %)"
        )
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def frames(video: Path, loops: int) -> Iterator[Grey]:
    """Yield the frames of a video, again and again, with noise where it is repeated."""
    noise = np.random.default_rng(0)
    for _ in range(loops):
        for frame in read_frames(Clip(video), rate=FPS):
            grey = grey_of(frame.pixels)
            if loops > 1:
                changed = grey + noise.normal(0, NOISE, grey.shape)
                grey = np.clip(changed, 0, 255).astype(np.uint8)
            yield grey


if __name__ == "__main__":
    main()
