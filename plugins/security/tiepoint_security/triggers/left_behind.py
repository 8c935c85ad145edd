"""*Abandoned*: something new stays where it is, and who brought it is gone.

Two pictures of the background are kept: what the place looked like all the time, and what it
looks like since a while. Where they differ for long enough, something was put there, or taken
away; what was put there has edges of its own, what was taken away leaves none (after Porikli,
2007, and Tian et al., 2011). The working picture is small, so that this costs little.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tiepoint_security.alerts.observation import Box
from tiepoint_security.rules.triggers import AbandonedSettings
from tiepoint_security.scene.view import Region, View
from tiepoint_security.triggers.base import Trigger, Zones, scaled

_WIDTH = 160
_SAME = 12.0  # grey levels within which a pixel has not changed
_OTHER = 22.0  # grey levels by which it is another thing
_LEARN_S = 120.0  # in which the old background follows slow changes of the light
_SETTLE_S = 3.0  # after the start
_FORGET = 20.0  # times `seconds`, after which what was left belongs to the place
_LEAST_AREA = 0.0004
_LARGEST = 0.05  # of the picture: what is larger is no bag
_MOST_AREA = 0.15  # of the picture: more is light
_NEAR = 0.75  # of who brought it, in their size: how near they have to be
_KNOWN = 0.3  # overlap by which it is the same thing

_Map = NDArray[np.float32]


@dataclass(slots=True)
class _Thing:
    """Something that was put there, and the tracks of who was beside it then."""

    region: Region
    brought_by: frozenset[str]
    alone_since_s: float | None = None


class Abandoned(Trigger):
    """Something was left behind: it lies there, and nobody who was beside it at first is.

    Who passes by later does not take it into care.

    Args:
        settings: For how long it has to lie there.
        zones: Where it counts.
    """

    def __init__(self, settings: AbandonedSettings, zones: Zones) -> None:
        self.about = "things"
        self._settings = settings
        self._zones = zones
        self._run = secrets.token_hex(3)
        self._count = 0
        self._things: dict[str, _Thing] = {}
        self._begun_s = self._last_s = 0.0
        self._old: _Map = np.zeros((0, 0), np.float32)
        self._new = self._same_s = self._old

    def step(self, view: View) -> None:
        now_s = view.time_s
        width = min(_WIDTH, view.grey.shape[1])
        height = max(1, round(view.grey.shape[0] * width / view.grey.shape[1]))
        small = cv2.resize(view.grey, (width, height), interpolation=cv2.INTER_AREA)
        frame = np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32)
        if frame.shape != self._old.shape:
            self._begin(now_s, frame)
            return
        since_s = max(0.0, min(now_s - self._last_s, 5.0))
        self._last_s = now_s
        changed = np.abs(frame - self._new) > _SAME
        self._new = np.where(changed, frame, self._new + 0.2 * (frame - self._new))
        self._same_s = np.where(changed, 0, self._same_s + since_s).astype(np.float32)
        other = (np.abs(self._new - self._old) > _OTHER) & (self._same_s > 1.0)
        settled = now_s - self._begun_s < _SETTLE_S
        if settled or other.mean() > _MOST_AREA:
            # At the start somebody may stand there; later on it is the light.
            rate = 0.2 if settled else 1.0
            self._old = self._old + rate * (frame - self._old)
            return
        stays_s = np.where(other, self._same_s, 0)
        follow = np.where(other, 0.0, min(1.0, since_s / _LEARN_S)).astype(np.float32)
        follow[stays_s > _FORGET * self._settings.seconds] = 1.0
        self._old = self._old + follow * (frame - self._old)
        self._match(self._found(other), view)

    def things(self) -> list[Region]:
        return [thing.region for thing in self._things.values()]

    def score(self, subject: Region | None) -> float:
        thing = None if subject is None else self._things.get(subject.track)
        if thing is None or thing.alone_since_s is None:
            return 0.0
        return scaled((thing.region.seen_s - thing.alone_since_s) / self._settings.seconds)

    def _begin(self, now_s: float, frame: _Map) -> None:
        self._begun_s = self._last_s = now_s
        self._old, self._new = frame.copy(), frame.copy()
        self._same_s = np.zeros_like(frame)
        self._things = {}

    def _found(self, other: NDArray[np.bool_]) -> list[Box]:
        height, width = other.shape
        mask = cv2.morphologyEx(other.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        boxes = []
        for label in range(1, count):
            left, top, wide, tall, area = (int(value) for value in stats[label])
            if not _LEAST_AREA <= area / (height * width) <= _LARGEST:
                continue
            if not self._put_there(labels == label):
                continue
            boxes.append((left / width, top / height, (left + wide) / width, (top + tall) / height))
        return [box for box in boxes if self._zones.touch(box)]

    def _put_there(self, mask: NDArray[np.bool_]) -> bool:
        """Return whether the edge of a mask is an edge of the new picture, not of the old one."""
        kernel = np.ones((3, 3), np.uint8)
        filled = mask.astype(np.uint8)
        rim = (cv2.dilate(filled, kernel) > 0) & (cv2.erode(filled, kernel) == 0)
        return bool(_edges(self._new)[rim].mean() >= _edges(self._old)[rim].mean())

    def _match(self, boxes: list[Box], view: View) -> None:
        now_s = view.time_s
        left = dict(self._things)
        self._things = {}
        for box in boxes:
            known = max(left.values(), key=lambda one: _share(one.region.box, box), default=None)
            if known is None or _share(known.region.box, box) < _KNOWN:
                self._count += 1
                name = f"left-{self._run}-{self._count}"
                beside = frozenset(one.track for one in view.regions if _near(box, one))
                known = _Thing(Region(name, box, now_s, now_s), beside)
            else:
                del left[known.region.track]
            known.region.move(box, now_s)
            if any(one.track in known.brought_by and _near(box, one) for one in view.regions):
                known.alone_since_s = None
            elif known.alone_since_s is None:
                known.alone_since_s = now_s
            self._things[known.region.track] = known


def _edges(picture: _Map) -> _Map:
    x, y = cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(x, y), np.float32)


def _share(one: Box, other: Box) -> float:
    """Return how much of the smaller box lies in the other."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(0.0, width) * max(0.0, height) / smaller if smaller > 0 else 0.0


def _near(box: Box, region: Region) -> bool:
    """Return whether what moves is beside a thing, and is not the thing itself."""
    wide, tall = region.box[2] - region.box[0], region.box[3] - region.box[1]
    apart_x = max(box[0] - region.box[2], region.box[0] - box[2])
    apart_y = max(box[1] - region.box[3], region.box[1] - box[3])
    itself = _share(box, region.box) > 0.5 and wide * tall < 2 * (box[2] - box[0]) * (
        box[3] - box[1]
    )
    return not itself and apart_x < _NEAR * wide and apart_y < _NEAR * tall
