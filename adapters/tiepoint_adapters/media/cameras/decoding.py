"""Frames as they are decoded, from whatever a camera's address names, under timeouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tiepoint.encoders.images import Pixels, read_image, resize_image
from tiepoint.errors import DecodeError, MissingDependencyError
from tiepoint.sequences.natural_order import natural_order
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.recording_time import RecordingTime
from tiepoint_adapters.media.folder import IMAGE_EXTENSIONS

if TYPE_CHECKING:
    from av.container import InputContainer

MAX_PIXELS = 8192 * 8192
"""Largest frame that is decoded."""

# Playlists are left out, as they would open further files and addresses.
_FORMATS = (
    "rtsp,sdp,rtp,mpjpeg,mjpeg,asf,avi,flv,gif,h264,hevc,ivf,m4v,matroska,webm,mov,mp4,mpeg,"
    "mpegts,mpegvideo,ogg,rm,yuv4mpegpipe,video4linux2,v4l2,live_flv,image2pipe,jpeg_pipe"
)
_STREAM_PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,crypto,httpproxy"
_FILE_PROTOCOLS = "file"


class Decoded(NamedTuple):
    """A decoded frame that is not converted to pixels yet.

    Attributes:
        time_s: The stream's own time; None where it has none.
        picture: A frame of PyAV, or (h, w, 3) uint8 RGB.
    """

    time_s: float | None
    picture: Any


def decoded_frames(options: CameraOptions) -> Iterator[Decoded]:
    """Yield the frames of a camera as they come; ends with the stream, file or folder.

    Raises:
        DecodeError: It cannot be opened or read, or holds no video; streams that fall silent
            for `read_timeout_s`, too.
        MissingDependencyError: PyAV is not installed.
    """
    if options.live:
        yield from _of_container(options)
        return
    path = Path(options.address).expanduser()
    if path.is_dir():
        yield from _of_folder(path, options)
        return
    if not path.is_file():
        raise DecodeError(
            "there is no such file or folder", where=str(path), hint="Check the camera's address."
        )
    yield from _of_container(options)


def pixels_of(picture: Any, short_side: int) -> Pixels:
    """Return a decoded picture as (h, w, 3) uint8 RGB, upright, a copy of its own.

    Args:
        picture: As in `Decoded`.
        short_side: The most pixels that the shorter side keeps.
    """
    if isinstance(picture, np.ndarray):
        return np.array(picture)
    shorter = min(picture.width, picture.height)
    size: dict[str, Any] = {}
    if shorter > short_side:
        size = {
            "width": max(1, round(picture.width * short_side / shorter)),
            "height": max(1, round(picture.height * short_side / shorter)),
            "interpolation": "AREA",
        }
    pixels: Pixels = picture.reformat(format="rgb24", **size).to_ndarray()
    quarter_turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns))


def _of_folder(folder: Path, options: CameraOptions) -> Iterator[Decoded]:
    suffixes = {f".{extension}" for extension in IMAGE_EXTENSIONS}
    files = sorted(
        (
            file
            for file in folder.iterdir()
            if file.suffix.lower() in suffixes and not file.name.startswith(".")
        ),
        key=lambda file: natural_order(file.name),
    )
    if not files:
        raise DecodeError(
            "there are no pictures in it",
            where=str(folder),
            hint="Name a folder of JPEG, PNG or TIFF files.",
        )
    for number, file in enumerate(files):
        yield Decoded(number / options.folder_fps, _picture(file, options.short_side))


def _picture(file: Path, short_side: int) -> Pixels:
    pixels = read_image(file)
    scale = short_side / min(pixels.shape[:2])
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        pixels = resize_image(pixels, (height, width), "bilinear")
    return pixels


def _of_container(options: CameraOptions) -> Iterator[Decoded]:
    import av

    with _opened(options) as container:
        if not container.streams.video:
            raise _broken(options, "there is no video in it")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # many cameras are decoded side by side
        rate = stream.average_rate or stream.guessed_rate
        time = RecordingTime(options.shown, float(rate) if rate else None)
        count = 0
        try:
            for frame in container.decode(stream):
                if frame.width * frame.height > MAX_PIXELS:
                    raise _broken(options, f"its frames have more than {MAX_PIXELS:,} pixels")
                time_s = None if frame.time is None else float(frame.time)
                count += 1
                yield Decoded(time_s if options.live else time.advance(time_s), frame)
        except (av.FFmpegError, ValueError, IndexError, OverflowError) as error:
            if count and not options.live:
                return  # a recording that was cut off ends like this
            raise _broken(options, f"it cannot be decoded ({error or type(error).__name__})") from (
                error
            )
        if not count:
            raise _broken(options, "it has no frames")


@contextmanager
def _opened(options: CameraOptions) -> Iterator[InputContainer]:
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            "PyAV is not installed", where=options.shown, hint="pip install 'tiepoint[video]'"
        ) from error
    address, given = options.address, {"format_whitelist": _FORMATS}
    container_format = None
    if "://" in address:
        given |= {
            "protocol_whitelist": _STREAM_PROTOCOLS,
            "fflags": "nobuffer",
            "probesize": "1000000",
            "analyzeduration": "1000000",
        }
        if address.startswith("rtsp"):
            # Over UDP, lost packets would be smeared over the picture.
            given |= {"rtsp_transport": "tcp"}
    elif options.live:
        container_format = "v4l2"
        address = address.removeprefix("webcam:")
    else:
        given |= {"protocol_whitelist": _FILE_PROTOCOLS}
        address = f"file:{Path(address).expanduser()}"  # else a name like `a:b` is a protocol
    timeouts = (options.connect_timeout_s, options.read_timeout_s) if options.live else None
    try:
        container = av.open(address, format=container_format, options=given, timeout=timeouts)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise _broken(options, f"it cannot be opened ({error})") from error
    with container:
        yield container


def _broken(options: CameraOptions, what: str) -> DecodeError:
    hint = "Check the camera." if options.live else "Convert it to MP4 or MKV, or replace it."
    # FFmpeg's messages repeat the address, with its password.
    return DecodeError(what.replace(options.address, options.shown), where=options.shown, hint=hint)
