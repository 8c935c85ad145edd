"""A camera's normality: fitted on ordinary footage, saved, and asked frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DecodeError
from tiepoint_security.frames.grey import Grey
from tiepoint_security.normality.card import SAVED, NormalityCard
from tiepoint_security.normality.learning import Learning
from tiepoint_security.normality.speeds import BINS, DIRECTIONS, Counts, limits
from tiepoint_security.normality.standing import MotionStream, Standing, StandingStream
from tiepoint_security.normality.sustained import Sustained


class Normality:
    """What is ordinary on one camera.

    Args:
        counts: (rows, DIRECTIONS, BINS) float32, how the cells of ordinary footage moved.
        card: What it was fitted on, and the threshold.
    """

    def __init__(self, counts: Counts, card: NormalityCard) -> None:
        self.counts = counts
        self.card = card

    @property
    def fingerprint(self) -> str:
        """Of everything that decides the scores, in hexadecimal."""
        return self.card.fingerprint

    def stream(self, *, learns: bool = False, learnt: Counts | None = None) -> NormalityStream:
        """Begin to score a stream, or a clip; nothing else is kept from another one.

        Args:
            learns: Whether what stays ordinary moves the limits while the stream goes on.
            learnt: What earlier streams added, by their `learnt`; counts if `learns`.
        """
        return NormalityStream(self, learns=learns, learnt=learnt)

    def save(self, folder: Path) -> Path:
        """Write tensors and card into a folder (made if absent), the card last; returns it."""
        return SAVED.write(folder, self.card, counts_content(self.counts))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved normality.

        Raises:
            InputError: Files that are missing, truncated, or were changed.
        """
        from safetensors.numpy import load

        card = SAVED.read_card(folder)
        content = SAVED.read_tensors(folder, card.sha256)
        with SAVED.taking(folder):
            counts = load(content)["counts"]
            if counts.shape[1:] != (DIRECTIONS, BINS):
                raise ValueError(f"the counts have the shape {counts.shape}")
        return cls(counts, card)


class NormalityStream:
    """Scores of one stream; a frame's rests on it and on earlier frames only.

    Args:
        normality: What is ordinary there.
        learns: Whether what stays ordinary moves the limits while the stream goes on.
        learnt: What earlier streams added; counts if `learns`.
    """

    def __init__(
        self, normality: Normality, *, learns: bool = False, learnt: Counts | None = None
    ) -> None:
        card = normality.card
        self._size = (card.height, card.width)
        self._threshold = card.threshold
        self._motion = MotionStream(card.lag)
        self._learning = Learning(normality.counts, card.fps, learnt) if learns else None
        begins = limits(normality.counts) if self._learning is None else self._learning.together()
        self._standing = StandingStream(begins, card.lag)
        self._sustained = Sustained(card.fps)
        self.sustained = 0.0

    @property
    def alarming(self) -> bool:
        """Whether the latest frames reach the threshold."""
        return self.sustained >= self._threshold

    @property
    def limits(self) -> NDArray[np.float32]:
        """The speeds that are hardly ever exceeded now, (rows, DIRECTIONS)."""
        return self._standing.limits

    @property
    def learnt(self) -> Counts | None:
        """What streams added to the fitted counts; None where it does not learn."""
        return None if self._learning is None else self._learning.learnt

    def settle(self) -> None:
        """Learn what is still in quarantine: the footage is over, and was ordinary."""
        if self._learning is not None:
            self._learning.settle()

    def step(self, frame: Grey, gap: float = 1.0) -> Standing:
        """Take the next frame, (h, w) uint8 as `grey_of` makes it.

        Args:
            frame: The frame.
            gap: How many frames after the one before: 2 where one was dropped.

        Raises:
            DecodeError: It has another size than the footage that the camera was fitted on.
        """
        if frame.shape != self._size:
            raise DecodeError(
                f"the frame is {frame.shape[1]} x {frame.shape[0]}, and the camera was fitted on"
                f" frames of {self._size[1]} x {self._size[0]} working pixels",
                hint="Fit the camera again on footage of its new size.",
            )
        motion = self._motion.step(frame, gap)
        standing = self._standing.step(motion)
        self.sustained = self._sustained.step(standing.score)
        if self._learning is not None:
            learnt = self._learning.step(motion, ordinary=standing.score < self._threshold)
            if learnt is not None:
                self._standing.limits = learnt
        return standing


def counts_content(counts: Counts) -> bytes:
    """Return the counts as the content of a safetensors file."""
    from safetensors.numpy import save

    return save({"counts": np.ascontiguousarray(counts)})
