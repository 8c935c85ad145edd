"""Small videos and pictures that tests make themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

Picture = np.ndarray


def scene(number: int, width: int = 160, height: int = 120) -> Picture:
    """Return a textured picture in which a bright square moves to the right."""
    rng = np.random.default_rng(5)
    picture = rng.integers(60, 160, (height, width, 3), dtype=np.uint8)
    left = 4 * number % (width - 20)
    picture[40:60, left : left + 20] = 255
    return picture


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    fps: int = 10,
    codec: str = "libx264",
    container_format: str | None = None,
) -> Path:
    """Write pictures of one size as a video."""
    import av

    with av.open(str(path), "w", format=container_format) as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream(codec, rate=fps)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode())
    return path


def jpeg(picture: Picture) -> bytes:
    """Return a picture as JPEG."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
