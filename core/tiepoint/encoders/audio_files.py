"""Decode audio from files and bytes to mono samples, within limits."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.files import read_bytes
from tiepoint.errors import DecodeError, MissingDependencyError

MAX_DURATION_S = 3600.0
"""Longest audio that is decoded."""

# Playlists and the like are left out: they would open further files and addresses.
_FORMATS = "aac,ac3,aiff,amr,ape,asf,au,caf,flac,matroska,webm,mov,mp4,m4a,mp3,ogg,opus,wav,w64,wv"


def read_audio(part: Any, rate_hz: int) -> NDArray[np.float32]:
    """Return mono samples (n,) float32, about in [-1, 1], at a sampling rate.

    Args:
        part: A path or bytes of a file (WAV, FLAC, OGG, MP3, M4A, or a video's first audio
            stream), or samples (n,) that are at `rate_hz` already.
        rate_hz: Samples per second.

    Raises:
        DecodeError: No audio, broken, empty, too large, over `MAX_DURATION_S`, or samples that
            are not finite.
        MissingDependencyError: PyAV is not installed.
    """
    if isinstance(part, np.ndarray):
        return _checked(part, None, rate_hz)
    where = os.fspath(part) if isinstance(part, str | os.PathLike) else None
    return _checked(_decoded(read_bytes(part), where, rate_hz), where, rate_hz)


def _decoded(content: bytes, where: str | None, rate_hz: int) -> NDArray[np.float32]:
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            "audio files need PyAV", hint="Run: pip install 'tiepoint[audio]'"
        ) from error

    pieces: list[NDArray[np.float32]] = []
    samples = 0
    try:
        with av.open(io.BytesIO(content), options={"format_whitelist": _FORMATS}) as container:
            if not container.streams.audio:
                raise DecodeError("there is no audio in it", where=where, hint="Replace it.")
            # Channels are averaged here: FFmpeg's own mix to mono in float is 3 dB too loud.
            resampler = av.AudioResampler(format="fltp", rate=rate_hz)
            for frame in container.decode(container.streams.audio[0]):
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().mean(axis=0))
                    samples += len(pieces[-1])
                if samples > MAX_DURATION_S * rate_hz:
                    raise _too_long(where)
            pieces += [piece.to_ndarray().mean(axis=0) for piece in resampler.resample(None)]
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise DecodeError(
            f"the audio cannot be decoded ({type(error).__name__})",
            where=where,
            hint="Give a WAV, FLAC, OGG, MP3 or M4A file.",
        ) from error
    return np.concatenate(pieces) if pieces else np.empty(0, np.float32)


def _checked(samples: NDArray[Any], where: str | None, rate_hz: int) -> NDArray[np.float32]:
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise DecodeError(
            f"audio samples must be (n,) floats, not {samples.shape} {samples.dtype}",
            where=where,
            hint="Mix to mono and scale to [-1, 1].",
        )
    if not len(samples):
        raise DecodeError("the audio has no samples", where=where, hint="Replace it.")
    if len(samples) > MAX_DURATION_S * rate_hz:
        raise _too_long(where)
    if not np.isfinite(samples).all():
        raise DecodeError("the audio has samples that are not finite", where=where)
    return np.ascontiguousarray(samples, np.float32)


def _too_long(where: str | None) -> DecodeError:
    return DecodeError(
        f"the audio is over {MAX_DURATION_S:.0f} s", where=where, hint="Cut it into parts."
    )
