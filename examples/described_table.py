"""How often a sentence raises an alert when it should, and when it should not, at a set rate.

    python examples/described_table.py DIR [--queries examples/described_queries.csv]

DIR holds the footage that the table names, and `flickr8k/pairs.csv`. Things are followed and
looked at as on a camera. *Found*: the marked stretches in which a thing reached the threshold,
which is set on the same camera's other footage (`calibrated_on`, or the rest of the recording).
*Realised*: the folders of `--ordinary` are halved in turn, the threshold of every one of many
sentences about something else is set on one half, and things that reach it are counted in the
other. That the condition of a rule has to last (four of six frames) is left out on both sides.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiepoint.assembly import Assembly
from tiepoint.embedded import embedded_deployment
from tiepoint.sequences.clips import Clip
from tiepoint.types import TEXT
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.playback import recorded_frames
from tiepoint_security.evaluation.alarms import upper_rate
from tiepoint_security.scene.understanding import CameraScene
from tiepoint_security.scene.view import Look
from tiepoint_security.scene.vision import Vision
from tiepoint_security.triggers.described import LOOKS
from tiepoint_security.triggers.rarity import Rarity, recent_mean
from tiepoint_security.watching.playback import PlaybackClock

QUERIES = Path(__file__).with_name("described_queries.csv")
FPS = {True: 10.0, False: 5.0}  # of folders of frames, and of videos


@dataclass
class Footage:
    """What was looked at: joint vectors and times of each track, and how long it lasted."""

    seconds: float = 0.0
    tracks: dict[str, list[tuple[float, NDArray[np.float32]]]] = field(default_factory=dict)

    def part(self, start_s: float, end_s: float, *, inside: bool) -> Footage:
        """Return what lies in a stretch, or what does not."""
        kept = {
            track: [look for look in looks if (start_s <= look[0] <= end_s) == inside]
            for track, looks in self.tracks.items()
        }
        lasted = min(end_s, self.seconds) - start_s
        seconds = lasted if inside else self.seconds - lasted
        return Footage(seconds, {track: looks for track, looks in kept.items() if looks})

    def __add__(self, other: Footage) -> Footage:
        return Footage(self.seconds + other.seconds, {**self.tracks, **other.tracks})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="the folder that the paths of the table are below")
    parser.add_argument("--queries", type=Path, default=QUERIES)
    parser.add_argument("--ordinary", type=Path, default=Path("ucsd_ped2/training/frames"))
    parser.add_argument("--sentences", type=int, default=300, help="about something else")
    parser.add_argument("--rates", type=float, nargs="+", default=[1.0, 10.0, 60.0])
    parser.add_argument("--preset", default="fast", choices=("fast", "accurate"))
    told = parser.parse_args()
    made = Assembly(embedded_deployment("unused", told.preset))
    vision = Vision.chosen(None, made.aligner, made.encoders.__getitem__)
    if vision is None or vision.aligner is None:
        raise SystemExit("the embedded default has no eyes")
    seen: dict[Path, Footage] = {}
    texts = other_sentences(told.root / "flickr8k" / "pairs.csv", told.sentences)
    words = vision.aligner.transform(TEXT, vision.aligner.encoders[TEXT].encode(texts, TEXT))
    show_realised(halves(told.root / told.ordinary, vision, seen), words, told.rates)
    with told.queries.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            show_found(row, told.root, vision, seen, told.rates)


def show_realised(
    footage: Sequence[Footage], sentences: NDArray[np.float32], rates: Sequence[float]
) -> None:
    """Print how many alerts an hour sentences about something else raise."""
    hours = sum(half.seconds for half in footage) / 3600 * len(sentences)
    for rate in rates:
        raised = 0
        for known, new in (tuple(footage), tuple(footage)[::-1]):
            for sentence in sentences:
                raised += len(reaching(new, sentence, calibrated(known, sentence, rate)))
        per_hour, bound = raised / hours, upper_rate(raised, hours)
        print(f"asked for {rate:g}/h: {raised} in {hours:.1f} h, {per_hour:.1f}/h (<{bound:.1f})")


def show_found(
    row: Mapping[str, str],
    root: Path,
    vision: Vision,
    seen: dict[Path, Footage],
    rates: Sequence[float],
) -> None:
    """Print how many marked stretches of a sentence are found."""
    sentence = vision.sentence(row["query"])
    marked = [Clip.of(path) for path in row["right"].split()]
    told = []
    for rate in rates:
        found, judged = 0, True
        for clip in marked:
            whole = footage_of(root / str(clip.source), vision, seen)
            start_s, end_s = clip.start_s or 0.0, clip.end_s or whole.seconds
            known = whole
            if row["calibrated_on"]:
                known = sum_of(folders(root / row["calibrated_on"]), vision, seen)
            else:
                for other in marked:  # one recording: none of what is looked for is ordinary
                    known = known.part(other.start_s or 0, other.end_s or 0, inside=False)
            rarity = calibrated(known, sentence, rate)
            judged &= rarity.ready
            found += bool(reaching(whole.part(start_s, end_s, inside=True), sentence, rarity))
        told.append(f"{found}/{len(marked)}" if judged else "too little footage")
    print(f"{row['kind']:8} {row['query']}: {', '.join(told)}", flush=True)


def calibrated(known: Footage, sentence: NDArray[np.float32], rate: float) -> Rarity:
    """Return the scale of a sentence on footage, as a described trigger makes it."""
    rarity = Rarity(rate)
    looks = [vector for looks in known.tracks.values() for _, vector in looks]
    hours = known.seconds / 3600
    if looks:
        rarity.learn(np.stack(looks) @ sentence, len(known.tracks) / hours)
    return rarity


def reaching(footage: Footage, sentence: NDArray[np.float32], rarity: Rarity) -> list[str]:
    """Return the tracks that reach the threshold."""
    found = []
    for track, looks in footage.tracks.items():
        scores = [float(vector @ sentence) for _, vector in looks]
        means = [recent_mean(scores[max(0, i - LOOKS + 1) : i + 1]) for i in range(len(scores))]
        if rarity.ratio(max(means)) >= 1:
            found.append(track)
    return found


def halves(folder: Path, vision: Vision, seen: dict[Path, Footage]) -> list[Footage]:
    """Return the footage of every other folder, and of those between."""
    clips = folders(folder)
    return [sum_of(clips[start::2], vision, seen) for start in (0, 1)]


def folders(folder: Path) -> list[Path]:
    """Return the folders of frames in a folder."""
    return sorted(one for one in folder.iterdir() if one.is_dir())


def sum_of(paths: Sequence[Path], vision: Vision, seen: dict[Path, Footage]) -> Footage:
    """Return footage of several recordings as that of one camera."""
    return sum((footage_of(path, vision, seen) for path in paths), Footage())


def footage_of(path: Path, vision: Vision, seen: dict[Path, Footage]) -> Footage:
    """Return what is looked at in a recording; each is watched once."""
    if path not in seen:
        seen[path] = watched(path, vision)
    return seen[path]


def watched(path: Path, vision: Vision) -> Footage:
    """Follow and look at what moves in a recording."""
    fps = FPS[path.is_dir()]
    options = CameraOptions(address=str(path), fps=fps)
    scene, made = CameraScene(fps, looks_at=["regions"]), Footage()
    for frame in recorded_frames("camera", options, PlaybackClock(0.0), 0.0):
        view = scene.step(frame)
        wishes = scene.wishes(view)
        if wishes:
            own, joint = vision.see([wish.pixels for wish in wishes])
            for row, wish in enumerate(wishes):
                vector = None if joint is None else joint[row]
                wish.fulfil(Look(view.time_s, own[row], vector))
                if wish.region is not None and vector is not None:
                    name = f"{path}:{wish.region.track}"
                    made.tracks.setdefault(name, []).append((view.time_s, vector))
        made.seconds = view.time_s
    return made


def other_sentences(table: Path, count: int) -> list[str]:
    """Return captions of photographs, drawn with a fixed seed."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["lang"], r["split"]) == ("en", "val")]
    chosen = np.random.default_rng(0).permutation(len(rows))[:count]
    return [rows[number]["text"] for number in chosen]


if __name__ == "__main__":
    main()
