"""How well moments of fixed cameras are found by words, a picture or a clip.

    python examples/footage_table.py DIR [--queries examples/footage_queries.csv] [--out CSV]

DIR holds the videos, or folders of frames, that the table names; every other video in the same
folders is indexed, too, as a distractor. The right segments were marked by hand in the table,
before the search was made. A segment is right if at least half of it, or half of the marked
stretch, lies in the other. Chance is what a random order would give.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiepoint import Host
from tiepoint.config.models import Deployment
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.video import VIDEO_EXTENSIONS
from tiepoint_security.footage.index import FootageIndex
from tiepoint_security.footage.question import MOVING_WEIGHT
from tiepoint_security.footage.recordings import recorded_segments
from tiepoint_security.footage.segment import METADATA, Segment
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore

QUERIES = Path(__file__).with_name("footage_queries.csv")
PHOTO = {"type": "timm", "preset": "fast"}
DAY_S = 86_400.0


@dataclass(frozen=True)
class Query:
    """A line of the table."""

    text: str
    language: str
    right: frozenset[str]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="the folder that the paths of the table are below")
    parser.add_argument("--queries", type=Path, default=QUERIES)
    parser.add_argument("--preset", default="fast", choices=("fast", "accurate"))
    parser.add_argument(
        "--moving",
        type=float,
        nargs="+",
        default=[MOVING_WEIGHT],
        help="how much what moves counts beside the whole picture; the last one is used below",
    )
    parser.add_argument("--out", type=Path, help="write query,language,rank of every query (CSV)")
    told = parser.parse_args()
    rows = list(csv.DictReader(told.queries.open(encoding="utf-8")))
    marked = [[Clip.of(path) for path in row["right"].split()] for row in rows]
    videos = sorted(set(videos_beside(told.root, [c for clips in marked for c in clips])))
    with tempfile.TemporaryDirectory() as folder:
        store = FootageStore(Path(folder) / "footage")
        with Host(deployment(folder, told.preset)) as host:
            segments = fill(host, store, told.root, videos)
            queries = [
                Query(row["query"], row["lang"], right_ones(clips, segments))
                for row, clips in zip(rows, marked, strict=True)
            ]
            print(f"{len(segments)} segments of {len(videos)} videos, {len(queries)} queries\n")
            for weight in told.moving:
                print(f"weight of what moves: {weight:g}")
                ranks = [rank(host, query.right, weight, text=query.text) for query in queries]
                for language in dict.fromkeys(query.language for query in queries):
                    own = [n for n, query in enumerate(queries) if query.language == language]
                    chance = [len(queries[n].right) / len(segments) for n in own]
                    report(f"text ({language}) -> video", [ranks[n] for n in own], chance)
            one = [1 / len(segments)] * len(segments)
            report("thumbnail -> video", by_thumbnail(host, store, segments), one)
            report("half a segment -> video", by_half(host, store, segments), one)
    for query, place in zip(queries, ranks, strict=True):
        print(f"  {place:3d}  {query.text}")
    if told.out:
        with told.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("query", "language", "rank"))
            writer.writerows(
                (q.text, q.language, place) for q, place in zip(queries, ranks, strict=True)
            )


def deployment(folder: str, preset: str) -> Deployment:
    """Return a deployment that takes footage."""
    photo = {**PHOTO, "preset": preset}
    words = {"type": "concat", "encoders": [{"type": "transformers-text"}, {"type": "use"}]}
    return Deployment.model_validate(
        {
            "version": 1,
            "encoders": {
                "photo": photo,
                "clip": {"type": "video", "frames": photo},
                "words": words,
            },
            "alignment": {"type": "default", "encoders": {"image": "photo", "text": "words"}},
            "store": {"uri": f"{folder}/store"},
            "collections": {
                "footage": {
                    "fields": {"video": {"encoder": "clip"}, "moving": {"encoder": "clip"}},
                    "metadata": METADATA,
                }
            },
        }
    )


def videos_beside(root: Path, clips: Sequence[Clip]) -> Iterator[Path]:
    """Yield the videos and folders of frames in the folders that the table names."""
    for folder in {root / Path(str(clip.source)).parent for clip in clips}:
        for entry in folder.iterdir():
            if entry.is_dir() or entry.suffix[1:].lower() in VIDEO_EXTENSIONS:
                yield entry.relative_to(root)


def fill(host: Host, store: FootageStore, root: Path, videos: Sequence[Path]) -> list[Segment]:
    """Cut and index the videos; each is a camera, and begins at midnight of a day of its own."""
    index = FootageIndex(host, "footage", store)
    segments: list[Segment] = []
    for day, video in enumerate(videos):
        options = CameraOptions(address=str(root / video))
        began_s = day * DAY_S
        clock, settings = SystemClock(), FootageSettings()
        segments += recorded_segments(str(video), options, began_s, store, settings, clock)
    report = index.add(segments)
    if report.skipped:
        raise SystemExit(f"not indexed: {report.skipped}")
    return segments


def right_ones(clips: Sequence[Clip], segments: Sequence[Segment]) -> frozenset[str]:
    """Return the ids of the segments that lie in what was marked, or it in them, by half."""
    return frozenset(
        segment.id
        for segment in segments
        for clip in clips
        if segment.camera == str(clip.source) and halfway(clip, segment)
    )


def halfway(clip: Clip, segment: Segment) -> bool:
    """Return whether a segment and a marked stretch share at least half of one of them."""
    start_s = segment.start_s % DAY_S
    end_s = start_s + segment.end_s - segment.start_s
    marked_end_s = float("inf") if clip.end_s is None else clip.end_s
    shared_s = min(end_s, marked_end_s) - max(start_s, clip.start_s)
    return shared_s >= min(end_s - start_s, marked_end_s - clip.start_s) / 2


def rank(host: Host, right: frozenset[str], weight: float = MOVING_WEIGHT, **query: object) -> int:
    """Return the rank of the first right answer, from 1."""
    weights = {"moving": weight}
    hits = host.search(**query, k=1000, collection="footage", weights=weights)  # type: ignore[arg-type]
    return next(place for place, hit in enumerate(hits, 1) if hit.id in right)


def by_thumbnail(host: Host, store: FootageStore, segments: Sequence[Segment]) -> list[int]:
    """Return the rank of each segment when its thumbnail, or its first frame, asks for it."""
    return [
        rank(host, frozenset([one.id]), 0, image=store.folder / f"{one.stem}.jpg")
        for one in segments
    ]


def by_half(host: Host, store: FootageStore, segments: Sequence[Segment]) -> list[int]:
    """Return the rank of each segment when its second half, cut out of it, asks for it."""
    ranks = []
    for one in segments:
        middle_s = (one.end_s - one.start_s) / 2
        frames = read_frames(Clip(store.folder / f"{one.stem}.mp4", middle_s), rate=2.0)
        pixels = np.stack([frame.pixels for frame in frames])
        ranks.append(rank(host, frozenset([one.id]), 0, video=pixels))
    return ranks


def report(name: str, ranks: Sequence[int], chances: Sequence[float]) -> None:
    """Print recall, and what a random order would give."""
    places, chance = np.array(ranks), np.array(chances)
    first, fifth = (100 * (places <= k).mean() for k in (1, 5))
    random = [100 * (1 - (1 - chance) ** k).mean() for k in (1, 5)]
    print(
        f"{name}: {len(places)} queries, R@1 {first:.0f}, R@5 {fifth:.0f},"
        f" median rank {np.median(places):.0f}; chance {random[0]:.0f} and {random[1]:.0f}"
    )


if __name__ == "__main__":
    main()
