"""Writing a clip: frames become an MP4 that any browser plays, whole or not at all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from tiepoint.encoders.images import Pixels
from tiepoint.errors import DecodeError, MissingDependencyError

_MILLISECONDS = Fraction(1, 1000)


class ClipWriter:
    """Encodes frames as H.264 into an MP4 as they come; memory does not grow with the clip.

    The file has its name once `close` has written all of it; until then it ends in `.partial`.
    Used by `with`, what an error interrupts is removed.

    Args:
        path: The file; its folder exists.
        quality: The constant rate factor of x264: 18 is fine, 32 is small.

    Raises:
        MissingDependencyError: PyAV is not installed.
    """

    def __init__(self, path: Path, quality: int = 26) -> None:
        try:
            import av
        except ImportError as error:
            raise MissingDependencyError(
                "PyAV is not installed", hint="pip install 'tiepoint[video]'"
            ) from error
        self.path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._container = av.open(
            str(self._partial), "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._quality = quality
        self._stream: Any = None
        self._before_ms = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def add(self, pixels: Pixels, time_s: float) -> None:
        """Add a frame; odd sides lose a row or column, as the codec needs even ones.

        Args:
            pixels: (h, w, 3) uint8 RGB, at least 2 x 2, as large as the first one.
            time_s: From the beginning of the clip; a frame that is not later than the one
                before is shown a millisecond after it.
        """
        import av

        height, width = (side - side % 2 for side in pixels.shape[:2])
        if self._stream is None:
            self._stream = self._opened(width, height)
        frame = av.VideoFrame.from_ndarray(pixels[:height, :width].copy(), format="rgb24")
        self._before_ms = max(round(time_s * 1000), self._before_ms + 1)
        frame.pts, frame.time_base = self._before_ms, _MILLISECONDS
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left, and give the file its name.

        Raises:
            DecodeError: No frame was added.
        """
        if self._stream is None:
            self.discard()
            raise DecodeError("a clip needs a frame", where=str(self.path))
        self._container.mux(self._stream.encode())
        self._container.close()
        self._partial.replace(self.path)

    def discard(self) -> None:
        """Remove what was written."""
        self._container.close()
        self._partial.unlink(missing_ok=True)

    def _opened(self, width: int, height: int) -> Any:
        options = {"preset": "veryfast", "crf": str(self._quality), "threads": "1"}
        stream = self._container.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = _MILLISECONDS
        return stream
