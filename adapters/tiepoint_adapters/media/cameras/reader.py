"""One camera's thread: it connects, decodes, and keeps the latest frame for whoever asks."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from tiepoint.errors import TiepointError
from tiepoint_adapters.backoff import Backoff
from tiepoint_adapters.clock import Clock, timestamp
from tiepoint_adapters.media.cameras.decoding import Decoded, decoded_frames, pixels_of
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_adapters.media.cameras.masks import PrivacyMasks
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.rate import Rate
from tiepoint_adapters.media.cameras.stream_time import StreamTime
from tiepoint_adapters.media.cameras.tampering import TamperSettings, TamperWatch

logger = logging.getLogger(__name__)

State = Literal["connecting", "reading", "waiting", "failed", "ended", "stuck"]

_STEADY_S = 5.0
"""A connection that gave frames for so long counts as good: the next wait is short again."""

_GRACE_S = 5.0
"""How much longer than its timeouts a decoder may be silent before it is taken to hang."""

MOST_ABANDONED = 4
"""Hanging threads cannot be ended; with so many of them a camera is not tried again."""


@dataclass(slots=True, eq=False)
class _Session:
    """One thread's work; once it is cancelled, what it does no longer counts."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


@dataclass(slots=True)
class _Latest:
    """A frame that waits to be taken, not converted yet."""

    decoded: Decoded
    time_s: float
    arrived_s: float
    wall_s: float


class CameraReader:
    """Reads one camera; only the latest frame is kept, and frames that nobody took are counted.

    Frames are taken `fps` times a second; those in between are decoded (others build on
    them) and no more. A live camera that cannot be reached or falls silent is tried again for
    ever, after waits that grow; a file that cannot be read is not. Files and folders play in
    real time.

    Args:
        name: The camera's.
        options: Its address and the rest.
        clock: The clocks.
        arrived: Notified when a frame came; shared by cameras that are waited for together.
        tampering: When a picture shows no scene.
    """

    def __init__(
        self,
        name: str,
        options: CameraOptions,
        clock: Clock,
        arrived: threading.Condition | None = None,
        tampering: TamperSettings | None = None,
    ) -> None:
        self.name = name
        self.options = options
        self.clock = clock
        self.faults: frozenset[str] = frozenset()
        self._arrived = arrived or threading.Condition()
        self._masks = PrivacyMasks(options.masks)
        self._tampering = TamperWatch(tampering)
        self._backoff = Backoff(options.first_wait_s, options.longest_wait_s)
        self._time = StreamTime()
        self._session: _Session | None = None
        self._latest: _Latest | None = None
        self._state: State = "connecting"
        self._error: str | None = None
        self._due_s = float("-inf")
        self._progress_s = self._last_s = clock.monotonic()
        self._last_wall_s: float | None = None
        self._size: tuple[int, int] | None = None
        self._decoded_rate, self._taken_rate = Rate(), Rate()
        self._number = self._dropped = self._connections = self._failures = 0
        self._size_changes = self._abandoned = self._undecodable = 0

    def start(self) -> None:
        """Begin to read."""
        session = _Session()
        session.thread = threading.Thread(
            target=self._run, args=(session,), name=f"camera {self.name}", daemon=True
        )
        self._progress_s = self.clock.monotonic()
        self._session = session
        session.thread.start()

    def stop(self) -> None:
        """End; a decoder that hangs is left behind after its timeouts."""
        session, self._session = self._session, None
        if session is not None and session.thread is not None:
            session.cancelled.set()
            session.thread.join(self.options.read_timeout_s + 1)

    def take(self) -> CameraFrame | None:
        """Return the latest frame if it was not taken yet; converted and masked only now."""
        with self._arrived:
            latest, self._latest = self._latest, None
        if latest is None:
            return None
        try:
            pixels = pixels_of(latest.decoded.picture, self.options.short_side)
        except (ValueError, OSError, MemoryError) as error:  # FFmpeg's errors are of these
            self._undecodable += 1
            self._error = f"a frame cannot be converted ({error})"
            return None
        self._masks.burn_in(pixels)
        self.faults = self._tampering.look(pixels, latest.arrived_s)
        size = (pixels.shape[1], pixels.shape[0])
        new_size = size != self._size
        if new_size and self._size is not None:
            self._size_changes += 1
            logger.warning("camera %s: its pictures are now %d x %d", self.name, *size)
        self._size = size
        self._taken_rate.count(self.clock.monotonic())
        frame = CameraFrame(
            camera=self.name,
            number=self._number,
            time_s=latest.time_s,
            arrived_s=latest.arrived_s,
            wall_s=latest.wall_s,
            pixels=pixels,
            new_size=new_size,
        )
        self._number += 1
        return frame

    def watch(self) -> None:
        """Replace a thread that hangs; to be called about once a second."""
        session = self._session
        if session is None or self._state not in ("connecting", "reading"):
            return
        limit_s = self.options.connect_timeout_s + self.options.read_timeout_s + _GRACE_S
        if self.clock.monotonic() - self._progress_s < limit_s:
            return
        session.cancelled.set()
        self._abandoned += 1
        logger.error("camera %s: its decoder hangs and is replaced", self.name)
        if self._abandoned >= MOST_ABANDONED:
            self._state, self._error = "stuck", "its decoder hangs again and again"
            self._session = None
            return
        self.start()

    @property
    def waiting(self) -> bool:
        """Whether a frame waits to be taken."""
        return self._latest is not None

    @property
    def over(self) -> bool:
        """Whether no further frame will come: a file's end, or one that cannot be read."""
        return self._state in ("ended", "failed", "stuck") and self._latest is None

    @property
    def ended(self) -> bool:
        """Whether it was a file that was read, and taken, to its end."""
        return self._state == "ended" and self._latest is None

    @property
    def silent_s(self) -> float:
        """Seconds since the last frame, or since the start."""
        return self.clock.monotonic() - self._last_s

    def health(self) -> dict[str, Any]:
        """Return plain data: whether it gives frames, how many, how late, and what is wrong."""
        now_s = self.clock.monotonic()
        well = self._state == "reading" and self.silent_s < self.options.read_timeout_s
        if self._state == "ended":
            status = "ended"
        elif not well:
            status = "failed" if self._state in ("failed", "stuck") else "lost"
        else:
            status = "tampered" if self.faults else "ok"
        return {
            "status": status,
            "state": self._state,
            "address": self.options.shown,
            "fps": round(self._taken_rate.per_second(now_s), 2),
            "decoded_fps": round(self._decoded_rate.per_second(now_s), 2),
            "lag_s": round(self._time.lag_s, 3),
            "frames": self._number,
            "dropped": self._dropped,
            "undecodable": self._undecodable,
            "last_frame_age_s": None if self._last_wall_s is None else round(self.silent_s, 3),
            "last_frame_at": None if self._last_wall_s is None else timestamp(self._last_wall_s),
            "size": None if self._size is None else list(self._size),
            "size_changes": self._size_changes,
            "connections": self._connections,
            "failures_in_a_row": self._failures,
            "clock_jumps": self._time.jumps,
            "hanging_decoders": self._abandoned,
            "faults": sorted(self.faults),
            "error": self._error,
        }

    def _run(self, session: _Session) -> None:
        while not session.cancelled.is_set():
            self._state = "connecting"
            self._progress_s = self.clock.monotonic()
            error = self._read(session)
            if session.cancelled.is_set():
                return
            if not self.options.live:
                if error is None and self.options.loop:
                    continue
                self._finish(error)
                return
            self._failures += 1
            self._error = error or "the stream ended"
            if self._failures == 1:
                logger.warning("camera %s: %s; it is tried again", self.name, self._error)
            self._state = "waiting"
            session.cancelled.wait(self._backoff.wait_s(self._failures))

    def _read(self, session: _Session) -> str | None:
        """Read until the end; return what went wrong, if something did."""
        began_s = self.clock.monotonic()
        first_s: float | None = None
        try:
            for decoded in decoded_frames(self.options):
                now_s = self.clock.monotonic()
                if session.cancelled.is_set():
                    return None
                if first_s is None:
                    first_s = began_s = now_s
                    self._begin()
                elif self._failures and now_s - first_s >= _STEADY_S:
                    self._failures, self._error = 0, None
                if not self.options.live and decoded.time_s is not None:
                    wait_s = began_s + decoded.time_s - now_s
                    if wait_s > 0 and session.cancelled.wait(wait_s):
                        return None
                self._receive(decoded)
        except TiepointError as error:
            return error.what
        return None

    def _begin(self) -> None:
        self._connections += 1
        self._state = "reading"
        self._time.reconnect()
        if self._failures:
            logger.info("camera %s: it is back", self.name)

    def _receive(self, decoded: Decoded) -> None:
        now_s = self._progress_s = self._last_s = self.clock.monotonic()
        self._last_wall_s = self.clock.wall()
        self._decoded_rate.count(now_s)
        time_s = self._time.advance(decoded.time_s, now_s)
        if now_s < self._due_s:
            return
        # From when it was due, so that the rate holds; from now, after a pause.
        step_s = 1 / self.options.fps
        self._due_s = (self._due_s if self._due_s > now_s - step_s else now_s) + step_s
        with self._arrived:
            if self._latest is not None:
                self._dropped += 1
            self._latest = _Latest(decoded, time_s, now_s, self._last_wall_s)
            self._arrived.notify_all()

    def _finish(self, error: str | None) -> None:
        self._error = error
        self._state = "ended" if error is None else "failed"
        if error is not None:
            logger.error("camera %s: %s", self.name, error)
        with self._arrived:
            self._arrived.notify_all()
