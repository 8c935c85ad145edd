"""Small copies of pictures as answers: WebP, with an `ETag` by which browsers keep them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

from starlette.responses import Response

from tiepoint.encoders.images import Pixels, read_image, resize_image

FRESH = "private, max-age=300"
"""How long a browser may show its copy without asking: five minutes, and to its user alone."""


def thumbnail(
    part: str,
    size: int,
    if_none_match: str | None,
    read: Callable[[], Pixels] | None = None,
) -> Response:
    """Return a picture made small, or 304 where the caller has it.

    Args:
        part: What is stored of it: the path of a file that exists, perhaps with a time range.
        size: The most pixels of its longer side.
        if_none_match: The `ETag` of what the caller has.
        read: What gives the pixels, where the file is no picture.

    Raises:
        DecodeError: The picture is damaged, or too large.
    """
    path = Path(part.partition("#")[0])
    status = path.stat()
    told = f"{part} {status.st_mtime_ns} {status.st_size} {size}"
    tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": FRESH}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    pixels = read() if read is not None else read_image(path, least=2 * size)
    return Response(_webp(pixels, size), media_type="image/webp", headers=headers)


def _webp(pixels: Pixels, size: int) -> bytes:
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = min(1.0, size / max(height, width))
    small = resize_image(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))
    content = io.BytesIO()
    Image.fromarray(small).save(content, "WEBP", quality=80, method=2)
    return content.getvalue()
