"""From a long video to segments: shots, cut where they are long, or windows of equal length."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tiepoint.errors import ConfigError, MissingDependencyError
from tiepoint.paths import cache_dir, work_uncached
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import frame_times, read_frames

VERSION = 1
"""Of how segments are found; raised when that changes them."""

_SHORT_SIDE = 144  # what the change of colours is measured on
_ADAPTIVE_THRESHOLD = 3.0
_LEAST_CHANGE = 15.0


class Segment(NamedTuple):
    """A stretch of a video, in seconds from its beginning, to the millisecond."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How a video is cut.

    Attributes:
        method: `shots`: where the picture changes at once, found by PySceneDetect's adaptive
            detector (a frame whose change of hue, saturation and brightness stands out among
            its neighbours', so that fast motion is no cut). `windows`: every `longest_s`.
        shortest_s: No shot is shorter; a cut that would make one is left out.
        longest_s: What is longer is cut into pieces of equal length of at most this.

    Raises:
        ConfigError: Another method, or lengths that are not above 0 and in this order.
    """

    method: Literal["shots", "windows"] = "shots"
    shortest_s: float = 1.0
    longest_s: float = 10.0

    def __post_init__(self) -> None:
        if self.method not in {"shots", "windows"}:
            raise ConfigError(
                f"there is no method {self.method!r}",
                where="segments",
                hint="Give shots or windows.",
            )
        if not 0 < self.shortest_s <= self.longest_s:
            raise ConfigError(
                f"segments cannot last {self.shortest_s:g} to {self.longest_s:g} s",
                where="longest_s",
                hint="Give lengths above 0, the shortest first.",
            )

    def of(self, video: Clip) -> list[Segment]:
        """Return the segments of a video, in order and without gaps; remembered in the cache.

        Raises:
            DecodeError: The video cannot be read.
            MissingDependencyError: PyAV is not installed or, for shots, PySceneDetect.
        """
        told = json.dumps([VERSION, video.content_digest(), self._told()])
        memory = cache_dir("segments") / f"{hashlib.sha256(told.encode()).hexdigest()}.json"
        with suppress(OSError, ValueError, TypeError):
            return [Segment(*map(float, pair)) for pair in json.loads(memory.read_text("ascii"))]
        found = self._found(video)
        try:
            memory.write_text(json.dumps(found), "ascii")
        except OSError as error:
            work_uncached(error)
        return found

    def _told(self) -> list[Any]:
        shortest = self.shortest_s if self.method == "shots" else None
        return [self.method, shortest, self.longest_s]

    def _found(self, video: Clip) -> list[Segment]:
        if self.method == "shots":
            times, cuts = shots(video, self.shortest_s)
        else:
            times, cuts = frame_times(video), []
        # The last frame is shown for as long as the one before it.
        last = times[-1] + (times[-1] - times[-2] if len(times) > 1 else 0.04)
        edges = [video.start_s, *cuts, max(last, video.start_s + 0.001)]
        return [
            piece
            for start, end in itertools.pairwise(edges)
            for piece in _pieces(start, end, self.longest_s)
        ]


def shots(video: Clip, shortest_s: float) -> tuple[list[float], list[float]]:
    """Return the times of a video's frames, and the times at which a new shot begins.

    Raises:
        DecodeError: The video cannot be read.
        MissingDependencyError: PySceneDetect is not installed.
    """
    try:
        from scenedetect import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector
    except ImportError as error:
        raise MissingDependencyError(
            "shots need PySceneDetect", hint="Run: pip install 'tiepoint[video]'"
        ) from error

    # Frames are counted, not timed: times are looked up, as the frame rate need not be steady.
    def begin() -> AdaptiveDetector:
        return AdaptiveDetector(
            adaptive_threshold=_ADAPTIVE_THRESHOLD, min_scene_len=1, min_content_val=_LEAST_CHANGE
        )

    detector, shape = begin(), None
    times: list[float] = []
    candidates: list[int] = []
    for number, frame in enumerate(read_frames(video, short_side=_SHORT_SIDE)):
        times.append(frame.time_s)
        if shape is not None and frame.pixels.shape != shape:  # another size is another shot
            detector = begin()
            candidates.append(number)
        shape = frame.pixels.shape
        blue_green_red = frame.pixels[:, :, ::-1]
        found = detector.process_frame(FrameTimecode(number, fps=1.0), blue_green_red)
        candidates += [code.frame_num for code in found]
    cuts: list[float] = []
    for time_s in (times[number] for number in candidates):
        before = cuts[-1] if cuts else video.start_s
        if time_s - before >= shortest_s and times[-1] - time_s >= shortest_s:
            cuts.append(time_s)
    return times, cuts


def _pieces(start_s: float, end_s: float, longest_s: float) -> Iterator[Segment]:
    """Yield pieces of equal length, to the millisecond."""
    count = max(1, -int(-(end_s - start_s - 1e-6) // longest_s))
    edges = [round(start_s + (end_s - start_s) * i / count, 3) for i in range(count + 1)]
    yield from (Segment(*pair) for pair in itertools.pairwise(edges))
