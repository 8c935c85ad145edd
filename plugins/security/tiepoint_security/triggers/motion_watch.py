"""One camera's motion against what is ordinary there: fitted before, or learned from itself."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from pathlib import Path

from tiepoint.errors import ConfigError, TiepointError
from tiepoint.threads import preparation_threads
from tiepoint_security.frames.flow import gap_of, lag_frames
from tiepoint_security.frames.grey import Grey
from tiepoint_security.normality import keeping
from tiepoint_security.normality.card import SAVED
from tiepoint_security.normality.cells import CellMotion
from tiepoint_security.normality.fitting import ClipMotion, fit, threshold_for
from tiepoint_security.normality.model import Normality, NormalityStream
from tiepoint_security.normality.speeds import Counts
from tiepoint_security.normality.standing import MotionStream, Standing
from tiepoint_security.triggers.base import READY, Readiness

logger = logging.getLogger(__name__)

_KEPT_FRAMES = 72_000


class MotionWatch:
    """Says of each frame how unusual its motion is, once it knows what is usual.

    Without a fitted normality it gathers the camera's motion for a while, fits one on it in
    the background, saves it, and goes on from there. A frame of another size begins anew. What
    was gathered, or learned on line, goes on where the process before left it.

    Args:
        fps: Frames per second.
        seconds: How much footage is gathered.
        folder: Where what is learned is kept; in memory only if None.
        given: The folder of a normality that was fitted by the user, and so must fit.
        learns: Whether what stays ordinary moves the limits on line.

    Raises:
        ConfigError: The given one was fitted at another frame rate.
        InputError: The given one cannot be read.
    """

    def __init__(
        self,
        fps: float,
        seconds: float,
        folder: Path | None,
        *,
        given: Path | None = None,
        learns: bool,
    ) -> None:
        self._fps = fps
        self._wanted = min(_KEPT_FRAMES, round(seconds * fps))
        self._folder = folder
        self._given = given
        self._learns = learns
        self._normality: Normality | None = None
        self._stream: NormalityStream | None = None
        self._fitting: Future[Normality] | None = None
        self._last_s: float | None = None
        self._begin()
        if given is not None:
            normality = Normality.load(given)
            require_rate(normality, fps, given)
            self._use(normality)
        elif folder is not None and folder.is_dir():
            self._load(folder)

    @property
    def normality(self) -> Normality | None:
        """What is ordinary; None while that is being learned."""
        return self._normality

    def step(self, frame: Grey, time_s: float) -> Standing | None:
        """Take the next frame, (h, w) uint8; None while what is ordinary is being learned.

        Speeds are by the stream's time, so that frames that were dropped make nobody faster.

        Args:
            frame: The frame.
            time_s: The stream's time.

        Raises:
            DecodeError: The normality was given, and fitted on frames of another size.
        """
        since_s = 1 / self._fps if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        gap = gap_of(since_s, self._fps)
        if self._fitting is not None and self._fitting.done():
            self._fitted(self._fitting)
        if self._normality is not None and self._given is None:
            card = self._normality.card
            if frame.shape != (card.height, card.width):
                logger.warning("the picture has another size: its motion is learned anew")
                self._normality = self._stream = None
                self._begin()
        if self._stream is not None:
            return self._stream.step(frame, gap)
        self._gather(frame, gap)
        return None

    def threshold(self, alerts_per_hour: float | None) -> float | None:
        """Return the standing from which a frame is alarming; None while that is not known.

        Args:
            alerts_per_hour: Of ordinary footage; as it was fitted for if None.
        """
        if self._normality is None:
            return None
        card = self._normality.card
        if alerts_per_hour is None:
            return card.threshold
        return threshold_for(card.background, alerts_per_hour)

    def readiness(self) -> Readiness:
        """Return whether what is ordinary is known and, if not, how much more is needed."""
        if self._normality is not None:
            return READY
        left_s = max(0.0, (self._wanted - len(self._motions)) / self._fps)
        if left_s == 0:
            return Readiness(False, "what was learned is being fitted")
        total_s = self._wanted / self._fps
        return Readiness(
            False, f"{left_s:.0f} s more of ordinary footage are needed (of {total_s:.0f} s)"
        )

    def settle(self) -> None:
        """Wait for a fit that is under way, and learn what waits: the footage is over."""
        if self._fitting is not None:
            self._fitted(self._fitting)
        if self._stream is not None:
            self._stream.settle()

    def save(self) -> None:
        """Keep what was learned, for the process that comes after.

        Raises:
            OSError: It cannot be written.
        """
        if self._folder is None:
            return
        if self._normality is None:
            if self._motions and self._fitting is None:
                height, width = self._size
                clip = ClipMotion((height, width), tuple(self._motions))
                keeping.keep_gathered(self._folder, clip, self._fps)
        elif self._stream is not None and self._stream.learnt is not None:
            fingerprint = self._normality.fingerprint
            keeping.keep_learnt(self._folder, self._stream.learnt, fingerprint)

    def _begin(self) -> None:
        self._size: tuple[int, ...] = ()
        self._motions: list[CellMotion] = []
        self._motion = MotionStream(lag_frames(self._fps))

    def _gather(self, frame: Grey, gap: float) -> None:
        if self._fitting is not None:
            return
        if frame.shape != self._size:
            self._begin()
            self._size = frame.shape
        self._motions.append(self._motion.step(frame, gap))
        if len(self._motions) >= self._wanted:
            clip = ClipMotion((frame.shape[0], frame.shape[1]), tuple(self._motions))
            self._fitting = preparation_threads().submit(lambda: fit([clip], self._fps)[0])

    def _fitted(self, fitting: Future[Normality]) -> None:
        self._fitting = None
        try:
            normality = fitting.result()
            if self._folder is not None:
                normality.save(self._folder)
                keeping.forget(self._folder, keeping.GATHERED)
        except (TiepointError, OSError) as error:
            logger.error("what is ordinary could not be learned, and is learned anew: %s", error)
            self._begin()
            return
        self._motions = []
        self._use(normality)

    def _load(self, folder: Path) -> None:
        try:
            if (folder / SAVED.card).exists():
                normality = Normality.load(folder)
                if normality.card.fps == self._fps:
                    self._use(normality)
                    return
            clip = keeping.gathered(folder, self._fps)
        except TiepointError as error:
            logger.warning("what is ordinary is learned anew: %s", error)
            return
        if clip is not None:
            self._size, self._motions = clip.size, list(clip.motions)

    def _use(self, normality: Normality) -> None:
        self._normality = normality
        self._stream = normality.stream(learns=self._learns, learnt=self._learnt(normality))

    def _learnt(self, normality: Normality) -> Counts | None:
        if self._folder is None or not self._learns:
            return None
        try:
            return keeping.learnt(self._folder, normality.fingerprint)
        except TiepointError as error:
            logger.warning("what was learned on line is learned anew: %s", error)
            return None


def require_rate(normality: Normality, fps: float, folder: Path) -> None:
    """Refuse a normality that was fitted at another frame rate than its camera is analysed at.

    Raises:
        ConfigError: It was.
    """
    if normality.card.fps != fps:
        raise ConfigError(
            f"what is ordinary was fitted at {normality.card.fps:g} frames a second, and the"
            f" camera is analysed at {fps:g}",
            where=str(folder),
            hint="Change the camera's fps, or fit again.",
        )
