"""The time of a recording, through jumps of the clock that it was made by."""

from __future__ import annotations

import logging

from tiepoint.errors import DecodeError

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 600.0
"""A longer step is one of the clock; a shorter one may be a pause, as of recording on motion."""

_MOST_AT_ONCE = 10
"""Frames in a row that may state one time."""


class RecordingTime:
    """Makes of the times that a recording states some that never go back.

    Args:
        shown: The recording, as it is named to users.
        rate: Frames per second by its header; None or 0 if it states none.
    """

    def __init__(self, shown: str, rate: float | None) -> None:
        self._shown = shown
        self._usual_s = 1 / rate if rate else 0.0
        self._stated_s: float | None = None
        self._time_s = 0.0
        self._at_once = 0
        self._jumps = 0

    def advance(self, stated_s: float | None) -> float:
        """Return the time of the next frame, in seconds from the first one.

        Args:
            stated_s: What the recording says; None if nothing.

        Raises:
            DecodeError: Its frames have no times, and it has no rate.
        """
        if stated_s is None:
            if not self._usual_s:
                raise self._timeless()
            stated_s = 0.0 if self._stated_s is None else self._stated_s + self._usual_s
        if self._stated_s is not None:
            step_s = stated_s - self._stated_s
            self._at_once = 0 if step_s else self._at_once + 1
            if self._at_once >= _MOST_AT_ONCE:
                raise self._timeless()
            if not 0 <= step_s <= _LONGEST_PAUSE_S:
                if not self._jumps:
                    logger.warning(
                        "%s: its clock jumps from %.1f to %.1f s, and is taken to go on",
                        self._shown,
                        self._stated_s,
                        stated_s,
                    )
                self._jumps += 1
                step_s = self._usual_s
            self._time_s += step_s
        self._stated_s = stated_s
        return self._time_s

    def _timeless(self) -> DecodeError:
        return DecodeError(
            "its frames have no times of their own, and it has no frame rate",
            where=self._shown,
            hint="Convert it with a frame rate, such as `ffmpeg -r 25 -i FILE out.mp4`.",
        )
