"""Video: frames at a chosen rate through an image encoder, pooled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.framewise import FramewiseEncoder
from tiepoint.encoders.images import Pixels
from tiepoint.errors import ConfigError, DecodeError
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import read_frames
from tiepoint.sequences.volumes import spread
from tiepoint.types import VIDEO


class VideoEncoder(FramewiseEncoder):
    """Video clips to unit vectors (entry point `video`).

    A part is a path, also with a time range (`talk.mp4#t=10,20.5`), bytes, a binary file, a
    `Clip`, or frames as an array (n, h, w, 3). As a query a single picture is a clip of one
    frame.

    Args:
        frames: The image encoder, as in a deployment file: `type`, and its options.
        pooling: `mean`, `max`, or the folder of a fitted pooling.
        rate: Frames that are taken in a second.
        most: Frames that are taken of a clip, at most: of a longer one every second, every
            fourth ... is kept, so that they still cover all of it.

    Raises:
        ConfigError: The rate is not above 0, `most` is below 1, the encoder takes no pictures,
            or there is no such pooling.
    """

    kind = VIDEO

    def __init__(
        self,
        frames: Mapping[str, Any],
        pooling: str = "mean",
        rate: float = 2.0,
        most: int = 32,
    ) -> None:
        super().__init__(frames, pooling)
        if not 0 < rate <= 1000:
            raise ConfigError(f"the rate is {rate}", where="rate", hint="Give 2, say.")
        if most < 1:
            raise ConfigError(f"most is {most}", where="most", hint="Give 32, say.")
        self.rate = float(rate)
        self.most = most

    @property
    def choice(self) -> str:
        return f"{self.rate:g}/s<={self.most}"

    def located(self, part: Any) -> Any:
        return part if isinstance(part, np.ndarray) else Clip.of(part)

    def pictures(self, part: Any) -> list[Pixels]:
        if isinstance(part, np.ndarray):
            return list(_frames(part)[spread(len(part), self.most)])
        kept: list[Pixels] = []
        step = 1
        for number, frame in enumerate(read_frames(Clip.of(part), self.rate)):
            if number % step:
                continue
            if len(kept) == self.most:
                # Twice as long as what fits: every other frame of it stands for it.
                kept, step = kept[::2], step * 2
                if number % step:
                    continue
            kept.append(frame.pixels)
        return kept


def _frames(part: NDArray[Any]) -> NDArray[Any]:
    """Return an array of frames.

    Raises:
        DecodeError: Another shape, or no frame.
    """
    if part.ndim not in {3, 4} or not part.size:
        raise DecodeError(
            f"an array of shape {part.shape} is no sequence of pictures",
            hint="Give (frames, height, width) or (frames, height, width, 3).",
        )
    return part
