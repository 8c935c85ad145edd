"""Whether a camera still shows its scene: black, blind or frozen pictures."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint.config.sections import Section
from tiepoint.encoders.images import Pixels

Fault: TypeAlias = Literal["black", "covered", "frozen"]

_GRID = 48
"""Rows and columns of the pixels that are looked at: a few thousand are enough."""


class TamperSettings(Section):
    """When a picture shows no scene."""

    black_below: float = Field(
        default=16.0,
        ge=0,
        le=255,
        title="Black below",
        description="The brightness, of 255, that 99 % of a black picture do not reach.",
    )
    contrast_below: float = Field(
        default=3.0,
        ge=0,
        le=128,
        title="Contrast below",
        description="The standard deviation of brightness that a covered lens does not reach.",
    )
    after_s: float = Field(
        default=5.0, ge=0, le=3600, title="After", description="Seconds that it has to last."
    )
    frozen_after_s: float = Field(
        default=30.0,
        gt=0,
        le=86_400,
        title="Frozen after",
        description="Seconds in which not one pixel that is looked at changes; a real sensor"
        " always has some noise, but still scenes that are compressed much may not.",
    )


class TamperWatch:
    """Looks at the pictures of one camera.

    Args:
        settings: The limits.
    """

    def __init__(self, settings: TamperSettings | None = None) -> None:
        self.settings = settings or TamperSettings()
        self._before: NDArray[np.uint8] | None = None
        self._since_s: dict[Fault, float] = {}

    def look(self, pixels: Pixels, now_s: float) -> frozenset[Fault]:
        """Take a picture; return what has been wrong for long enough.

        Args:
            pixels: (h, w, 3) uint8.
            now_s: When it was taken (monotonic).
        """
        rows = np.linspace(0, pixels.shape[0] - 1, min(_GRID, pixels.shape[0])).astype(np.intp)
        columns = np.linspace(0, pixels.shape[1] - 1, min(_GRID, pixels.shape[1])).astype(np.intp)
        sample = pixels[np.ix_(rows, columns)]
        brightness = sample.mean(axis=2)
        seen: set[Fault] = set()
        if np.quantile(brightness, 0.99) < self.settings.black_below:
            seen.add("black")
        elif brightness.std() < self.settings.contrast_below:
            seen.add("covered")
        if self._before is not None and np.array_equal(self._before, sample):
            seen.add("frozen")
        self._before = sample
        self._since_s = {fault: self._since_s.get(fault, now_s) for fault in seen}
        return frozenset(
            fault
            for fault, since_s in self._since_s.items()
            if now_s - since_s >= self._limit_s(fault)
        )

    def _limit_s(self, fault: Fault) -> float:
        return self.settings.frozen_after_s if fault == "frozen" else self.settings.after_s
