"""Volumes: slices through an image encoder, pooled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tiepoint.encoders.framewise import FramewiseEncoder
from tiepoint.errors import ConfigError
from tiepoint.sequences.volumes import Sliced, Volume, grey_slices
from tiepoint.types import VOLUME


class VolumeEncoder(FramewiseEncoder):
    """Volumes to unit vectors (entry point `volume`).

    A part is an array (n, h, w) of numbers, the path of a `.npy` file of such an array, a
    folder of pictures in the order of their names, a DICOM series (a folder, or one file of
    many frames), or an object that gives its slices itself (`tiepoint.sequences.volumes.Sliced`).
    The slices of an array lie along the first axis.

    Args:
        frames: The image encoder, as in a deployment file: `type`, and its options.
        pooling: `mean`, `max`, or the folder of a fitted pooling.
        most: Slices that are taken, at most; they are evenly spread.
        window: The values of an array that become black and white; the 0.5th and the 99.5th
            percentile of each volume if not given.

    Raises:
        ConfigError: `most` is below 1, the window is empty, the encoder takes no pictures, or
            there is no such pooling.
    """

    kind = VOLUME

    def __init__(
        self,
        frames: Mapping[str, Any],
        pooling: str = "mean",
        most: int = 32,
        window: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(frames, pooling)
        if most < 1:
            raise ConfigError(f"most is {most}", where="most", hint="Give 32, say.")
        if window is not None and not (len(window) == 2 and window[0] < window[1]):
            raise ConfigError(
                f"the window is {tuple(window)}", where="window", hint="Give [low, high]."
            )
        self.most = most
        self.window = None if window is None else (float(window[0]), float(window[1]))

    @property
    def choice(self) -> str:
        window = "percentiles" if self.window is None else f"{self.window[0]:g}..{self.window[1]:g}"
        return f"<={self.most}:{window}"

    def located(self, part: Any) -> Any:
        return part if isinstance(part, np.ndarray | Sliced) else Volume.of(part)

    def pictures(self, part: Any) -> list[Any]:
        if isinstance(part, np.ndarray):
            return list(grey_slices(part, self.most, self.window))
        sliced: Sliced = self.located(part)
        return sliced.slices(self.most, self.window)
