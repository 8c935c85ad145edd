"""Frames of a video with PyAV, at a chosen rate, within limits of size and time."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tiepoint.encoders.images import Pixels
from tiepoint.errors import DecodeError, MissingDependencyError
from tiepoint.sequences.clips import Clip, seconds

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_PIXELS = 8192 * 8192
"""Largest frame that is decoded."""

MAX_DECODING_S = 300.0
"""Longest time that one clip may take to decode."""

SHORT_SIDE = 512
"""Frames whose shorter side is longer are made smaller, which saves most of their memory."""

# Playlists and the like are left out: they would open further files and addresses.
_FORMATS = (
    "asf,avi,flv,gif,h264,hevc,ivf,m4v,matroska,webm,mjpeg,mov,mp4,mpeg,mpegts,mpegvideo,ogg,"
    "rm,yuv4mpegpipe"
)
_TIMELESS = frozenset(("h264", "hevc", "m4v", "mjpeg", "mpegvideo"))
"""Bare streams: their frames are counted from the beginning, so nothing can be skipped."""


_MOST_BACK_S = 1.0
_MOST_AT_ONCE = 10
"""Frames in a row that may bring the time no further; times that go back cannot be found again."""


class Frame(NamedTuple):
    """A frame of a video.

    Attributes:
        time_s: When it is shown, in seconds from the beginning of the video.
        pixels: (h, w, 3) uint8 RGB, upright.
    """

    time_s: float
    pixels: Pixels


def read_frames(
    clip: Clip, rate: float | None = None, short_side: int = SHORT_SIDE
) -> Iterator[Frame]:
    """Yield the frames of a clip in order, at least one.

    Args:
        clip: The video, or a stretch of it.
        rate: Frames per second; all frames if not given. Time is divided into steps of equal
            length, and the first frame in the middle of a step or after it stands for the step.
        short_side: The most pixels that the shorter side of a frame keeps.

    Raises:
        DecodeError: No video, broken, without frames or times, with frames of more than
            `MAX_PIXELS`, slower to decode than `MAX_DECODING_S`, or the clip lies outside it.
        MissingDependencyError: PyAV is not installed.
    """
    due = clip.start_s + (0.5 / rate if rate else 0)
    given = False
    last: tuple[float, VideoFrame] | None = None
    for time_s, frame in _decoded(clip):
        last = (time_s, frame)
        if time_s >= due - 1e-6:
            given = True
            yield Frame(time_s, _pixels(frame, short_side))
            if rate:
                due += (int((time_s - due + 1e-6) * rate) + 1) / rate
    if not given and last is not None:  # the clip is shorter than half a step
        yield Frame(last[0], _pixels(last[1], short_side))


def frame_times(clip: Clip) -> list[float]:
    """Return when each frame of a clip is shown, in seconds from the beginning of the video.

    Raises:
        DecodeError: As `read_frames`.
        MissingDependencyError: PyAV is not installed.
    """
    return [time_s for time_s, _ in _decoded(clip)]


def _decoded(clip: Clip) -> Iterator[tuple[float, VideoFrame]]:
    """Yield (time, frame) for all frames between the clip's times."""
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            "video needs PyAV", hint="Run: pip install 'tiepoint[video]'"
        ) from error

    began = monotonic()
    last_s: float | None = None
    furthest_s, at_once = float("-inf"), 0
    given = False
    with clip.open() as file:
        try:
            with av.open(file, options={"format_whitelist": _FORMATS}) as container:
                stream = _stream(container, clip)
                origin = float((stream.start_time or 0) * (stream.time_base or 0))
                if clip.start_s > 0 and stream.time_base and container.format.name not in _TIMELESS:
                    container.seek(int((clip.start_s + origin) / stream.time_base), stream=stream)
                for frame in container.decode(stream):
                    time_s = _time(frame, stream, last_s, clip) - (
                        0 if frame.time is None else origin
                    )
                    at_once = 0 if time_s > furthest_s else at_once + 1
                    furthest_s = max(furthest_s, time_s)
                    if at_once >= _MOST_AT_ONCE or time_s < furthest_s - _MOST_BACK_S:
                        raise _timeless(clip, furthest_s, time_s)
                    last_s = time_s
                    _check_size(frame.width, frame.height, clip)
                    if monotonic() - began > MAX_DECODING_S:
                        raise DecodeError(
                            f"decoding takes more than {MAX_DECODING_S:.0f} s",
                            where=clip.where,
                            hint="Cut it into shorter clips.",
                        )
                    if clip.end_s is not None and time_s >= clip.end_s:
                        break
                    if time_s >= clip.start_s - 1e-6:
                        given = True
                        yield time_s, frame
        except (av.FFmpegError, ValueError, IndexError, OverflowError) as error:
            if given:
                # What was decoded is whole; a recording that was cut off ends like this.
                return
            raise DecodeError(
                f"the video cannot be decoded ({type(error).__name__})",
                where=clip.where,
                hint="Give an MP4, MKV, WebM, MOV or AVI file.",
            ) from error
    if not given:
        raise _nothing(clip, last_s)


def _stream(container: InputContainer, clip: Clip) -> VideoStream:
    if not container.streams.video:
        raise DecodeError("there is no video in it", where=clip.where, hint="Replace it.")
    stream = container.streams.video[0]
    _check_size(stream.codec_context.width, stream.codec_context.height, clip)
    stream.codec_context.thread_count = 1  # clips are decoded side by side
    return stream


def _check_size(width: int, height: int, clip: Clip) -> None:
    if width * height > MAX_PIXELS:
        raise DecodeError(
            f"the video claims frames of {width} x {height} pixels, more than {MAX_PIXELS:,}",
            where=clip.where,
            hint="Make it smaller.",
        )


def _time(frame: VideoFrame, stream: VideoStream, last_s: float | None, clip: Clip) -> float:
    """Return a frame's time; by the frame rate where the file states no times."""
    if frame.time is not None:
        return float(frame.time)
    rate = stream.average_rate or stream.guessed_rate
    if not rate:
        raise DecodeError(
            "the video states neither the times of its frames nor a frame rate",
            where=clip.where,
            hint="Convert it to MP4 or MKV.",
        )
    return 0.0 if last_s is None else last_s + 1 / float(rate)


def _timeless(clip: Clip, furthest_s: float, time_s: float) -> DecodeError:
    return DecodeError(
        f"the times of its frames do not go on: after {seconds(furthest_s)} s comes"
        f" {seconds(time_s)} s",
        where=clip.where,
        hint="Convert it with a frame rate, such as `ffmpeg -i FILE -vf setpts=N/25/TB out.mp4`.",
    )


def _nothing(clip: Clip, last_s: float | None) -> DecodeError:
    if last_s is None and clip.start_s == 0:
        return DecodeError("the video has no frames", where=clip.where, hint="Replace it.")
    end = f", whose last frame is at {seconds(last_s)} s" if last_s is not None else ""
    upto = "on" if clip.end_s is None else f"to {seconds(clip.end_s)} s"
    return DecodeError(
        f"the time range from {seconds(clip.start_s)} s {upto} is outside the video{end}",
        where=clip.where,
        hint="Give times within it.",
    )


def _pixels(frame: VideoFrame, short_side: int) -> Pixels:
    shorter = min(frame.width, frame.height)
    if shorter > short_side:
        size = {
            "width": max(1, round(frame.width * short_side / shorter)),
            "height": max(1, round(frame.height * short_side / shorter)),
        }
        frame = frame.reformat(**size, format="rgb24", interpolation="AREA")
    pixels: Any = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns) if quarter_turns else pixels)
