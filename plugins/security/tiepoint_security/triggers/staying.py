"""*Loitering*: something does not leave a small part of the picture for a time."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from tiepoint_security.rules.places import Point
from tiepoint_security.rules.triggers import LoiteringSettings
from tiepoint_security.scene.view import Region, View
from tiepoint_security.triggers.base import Trigger, Zones, scaled

_RESUME_S = 10.0
"""A thing that comes up where another one was lost so recently is taken for the same."""

_OUTSIDE_S = 2.0
"""Shorter ways out of the zones are those of the box, not of who stays."""

_JOINED = 1.5  # times its usual width: a box that holds somebody else, too
_SLOWLY = 0.05


@dataclass(slots=True)
class _Stay:
    """Where something was, second by second: the corners of what it did not leave."""

    seen_s: float
    foot: Point
    seconds: deque[tuple[float, float, float, float, float]] = field(default_factory=deque)
    """Begin, and the least and largest of both coordinates in that second."""
    usual_width: float = 0.0

    def note(self, region: Region, longest_s: float) -> None:
        """Note where it stands, unless its box was just joined with that of somebody else."""
        time_s, (x, y) = region.seen_s, region.foot
        width = region.box[2] - region.box[0]
        joined = self.seconds and width > _JOINED * self.usual_width
        self.usual_width += (width - self.usual_width) * (_SLOWLY if self.seconds else 1.0)
        self.seen_s = time_s
        if joined:
            return
        self.foot = region.foot
        if self.seconds and time_s - self.seconds[-1][0] < 1.0:
            begin, left, right, top, bottom = self.seconds[-1]
            self.seconds[-1] = begin, min(left, x), max(right, x), min(top, y), max(bottom, y)
        else:
            self.seconds.append((time_s, x, x, y, y))
        while time_s - self.seconds[0][0] > longest_s:
            self.seconds.popleft()

    def length_s(self, within: float) -> float:
        """Return for how long it has stayed within a part of the picture's diagonal."""
        left = top = math.inf
        right = bottom = -math.inf
        since_s = self.seen_s
        for begin, least_x, most_x, least_y, most_y in reversed(self.seconds):
            left, right = min(left, least_x), max(right, most_x)
            top, bottom = min(top, least_y), max(bottom, most_y)
            if math.hypot(right - left, bottom - top) > within * math.sqrt(2):
                break
            since_s = begin
        return self.seen_s - since_s


class Loitering(Trigger):
    """Something stays, in the zones, without leaving a part of the picture.

    The time is that of the thing, not of its track: one that is lost and comes up again at the
    same place goes on. What only passes through a zone, however slowly, leaves the part.

    Args:
        settings: How long, and within what part.
        zones: Where it counts.
    """

    def __init__(self, settings: LoiteringSettings, zones: Zones) -> None:
        self.about = "regions"
        self._settings = settings
        self._zones = zones
        self._stays: dict[str, _Stay] = {}
        self._lost: deque[_Stay] = deque(maxlen=64)

    def step(self, view: View) -> None:
        now_s = view.time_s
        there = {region.track: region for region in view.regions}
        for track in self._stays.keys() - there.keys():
            self._lost.append(self._stays.pop(track))
        for track, region in there.items():
            if region.seen_s != now_s:
                continue
            if self._zones.hold(region):
                stay = self._stays.get(track) or self._begun(region, now_s)
                stay.note(region, 1.5 * self._settings.seconds + 1)
                self._stays[track] = stay
            elif track in self._stays and now_s - self._stays[track].seen_s > _OUTSIDE_S:
                del self._stays[track]

    def score(self, subject: Region | None) -> float:
        stay = None if subject is None else self._stays.get(subject.track)
        if stay is None:
            return 0.0
        return scaled(stay.length_s(self._settings.within) / self._settings.seconds)

    def _begun(self, region: Region, now_s: float) -> _Stay:
        """Return the stay of a new track: that of another one which was just here, or its own.

        Two who meet are one thing for a moment, and who comes out of it under which track is
        chance. So both go on with the longer stay; who walks on soon leaves its part.
        """
        near = [
            stay
            for stay in (*self._lost, *self._stays.values())
            if now_s - stay.seen_s <= _RESUME_S
            and math.dist(stay.foot, region.foot) <= self._settings.within / 2
        ]
        longest = max(near, key=lambda stay: stay.length_s(self._settings.within), default=None)
        if longest is None:
            return _Stay(now_s, region.foot)
        return _Stay(now_s, region.foot, longest.seconds.copy(), longest.usual_width)
