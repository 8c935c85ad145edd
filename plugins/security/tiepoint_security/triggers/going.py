"""*Intrusion*, *wrong direction*, *line crossing* and *crowding*: where things are and go."""

from __future__ import annotations

import math

from tiepoint_security.alerts.observation import Box
from tiepoint_security.rules.places import Line, Point, crossing
from tiepoint_security.rules.triggers import (
    CrowdingSettings,
    LineCrossingSettings,
    WrongDirectionSettings,
)
from tiepoint_security.scene.view import Region, View
from tiepoint_security.triggers.base import Trigger, Zones, scaled

_HOLD_S = 2.0
"""How long a crossing, which takes a moment, is told of: longer than the debounce."""

_WAY_S = 3.0
"""The time over which a way is measured."""

_SEEN_S = 1.0
"""What was not seen for longer is not counted."""

_DEGREES = {"right": 0.0, "down": 90.0, "left": 180.0, "up": 270.0}


class Intrusion(Trigger):
    """Something stands in a zone.

    Args:
        zones: The zones.
    """

    def __init__(self, zones: Zones) -> None:
        self.about = "regions"
        self._zones = zones

    def step(self, view: View) -> None:
        """Nothing to note: where things stand is in the view."""

    def score(self, subject: Region | None) -> float:
        return 1.0 if subject is not None and self._zones.hold(subject) else 0.0


class WrongDirection(Trigger):
    """Something goes against the allowed way, by its way over the last seconds.

    Args:
        settings: The allowed way.
        zones: Where it counts.
    """

    def __init__(self, settings: WrongDirectionSettings, zones: Zones) -> None:
        self.about = "regions"
        self._settings = settings
        self._zones = zones
        allowed = settings.allowed
        self._allowed = _DEGREES[allowed] if isinstance(allowed, str) else float(allowed)
        self._sides = (1.0, 1.0)

    def step(self, view: View) -> None:
        height, width = view.frame.pixels.shape[:2]
        self._sides = (width / math.hypot(width, height), height / math.hypot(width, height))

    def score(self, subject: Region | None) -> float:
        if subject is None or len(subject.path) < 2 or not self._zones.hold(subject):
            return 0.0
        time_s, (x, y) = subject.path[-1]
        begin_x, begin_y = _before(subject, time_s - _WAY_S)
        way_x, way_y = (x - begin_x) * self._sides[0], (y - begin_y) * self._sides[1]
        length = math.hypot(way_x, way_y)
        degrees = math.degrees(math.atan2(way_y, way_x))
        off = abs((degrees - self._allowed + 180) % 360 - 180)
        if off <= self._settings.tolerance:
            return 0.0
        return scaled(length / self._settings.over)


class LineCrossing(Trigger):
    """Something crossed a line a moment ago.

    Args:
        settings: The side that it goes to.
        line: The line.
    """

    def __init__(self, settings: LineCrossingSettings, line: Line) -> None:
        self.about = "regions"
        self._to = settings.to
        self._line = line
        self._crossed_s: dict[str, float] = {}
        self._now_s = 0.0

    def step(self, view: View) -> None:
        self._now_s = view.time_s
        for region in view.regions:
            if region.seen_s == view.time_s and len(region.path) >= 2:
                (_, before), (_, now) = region.path[-2], region.path[-1]
                side = crossing(before, now, self._line)
                if side is not None and self._to in (side, "any"):
                    self._crossed_s[region.track] = view.time_s
        there = {region.track for region in view.regions}
        self._crossed_s = {track: at_s for track, at_s in self._crossed_s.items() if track in there}

    def score(self, subject: Region | None) -> float:
        at_s = None if subject is None else self._crossed_s.get(subject.track)
        return 1.0 if at_s is not None and self._now_s - at_s <= _HOLD_S else 0.0


class Crowding(Trigger):
    """Many things at a time.

    Args:
        settings: How many are too many.
        zones: Where they are counted.
    """

    def __init__(self, settings: CrowdingSettings, zones: Zones) -> None:
        self.about = "scene"
        self._settings = settings
        self._zones = zones
        self._there: list[Region] = []

    def step(self, view: View) -> None:
        self._there = [
            region
            for region in view.regions
            if view.time_s - region.seen_s <= _SEEN_S and self._zones.hold(region)
        ]

    def score(self, subject: Region | None) -> float:
        return scaled(len(self._there) / self._settings.count)

    def box(self) -> Box | None:
        if not self._there:
            return None
        lefts, tops, rights, bottoms = zip(*(region.box for region in self._there), strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def _before(region: Region, since_s: float) -> Point:
    """Return where something stood at a time, or first."""
    for time_s, point in reversed(region.path):
        found = point
        if time_s <= since_s:
            break
    return found
