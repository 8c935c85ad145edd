"""A scene: who is where when, drawn frame by frame, and what truly happens in it."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np

from tiepoint.encoders.images import Pixels
from tiepoint_security.rendering.figure import (
    Clothes,
    Colour,
    draw_figure,
    standing,
    striking,
    walking,
)
from tiepoint_security.rendering.scenery import HORIZON, street

Kind: TypeAlias = Literal[
    "intrusion", "abandoned_object", "wrong_direction", "fight", "loitering", "crowding", "running"
]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, as parts of the picture's width and height, in [0, 1]."""

_NOISE = 2.0
_TALLEST = 0.42
_RISE = 0.12


class Waypoint(NamedTuple):
    """Where someone's feet are at a time; x and y are parts of the picture's sides."""

    time_s: float
    x: float
    y: float


class Event(NamedTuple):
    """Something that a camera is watched for, with who does it."""

    kind: Kind
    start_s: float
    end_s: float
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who walks from waypoint to waypoint.

    Attributes:
        name: Unique in the scene.
        clothes: Its colours.
        path: In the order of time; absent before the first one and after the last one.
        fights: From when to when it strikes instead of walking.
        bag: The colour of a bag that is carried; None for none.
        leaves_bag_s: When the bag is set down, for good; None if never.
    """

    name: str
    clothes: Clothes
    path: tuple[Waypoint, ...]
    fights: tuple[float, float] | None = None
    bag: Colour | None = None
    leaves_bag_s: float | None = None

    def at(self, time_s: float) -> Waypoint | None:
        """Return where it is; None if it is not in the scene."""
        if not self.path[0].time_s <= time_s <= self.path[-1].time_s:
            return None
        times = [point.time_s for point in self.path]
        after = min(bisect.bisect_right(times, time_s), len(self.path) - 1)
        one, two = self.path[after - 1], self.path[after]
        part = (time_s - one.time_s) / max(two.time_s - one.time_s, 1e-9)
        return Waypoint(time_s, one.x + part * (two.x - one.x), one.y + part * (two.y - one.y))


@dataclass(frozen=True, slots=True, eq=False)
class RenderedFrame:
    """A picture, and the truth about it.

    Attributes:
        time_s: From the beginning of the scene.
        pixels: (h, w, 3) uint8 RGB.
        boxes: Where everyone and everything is, by name; a bag that was left is `NAME's bag`.
        happening: The events that go on.
    """

    time_s: float
    pixels: Pixels
    boxes: dict[str, Box]
    happening: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is rendered: the same scene gives the same pixels.

    Attributes:
        seconds: How long it is.
        actors: Who is in it.
        events: What truly happens.
        width, height: Of the picture, in pixels; even.
        fps: Frames per second.
        street: Which street; another number, another street.
        seed: Of the sensor's noise.
    """

    seconds: float
    actors: tuple[Actor, ...]
    events: tuple[Event, ...] = ()
    width: int = 320
    height: int = 240
    fps: float = 10.0
    street: int = 0
    seed: int = 0
    bags: tuple[tuple[Actor, Waypoint], ...] = field(init=False)

    def __post_init__(self) -> None:
        left = [
            (actor, place)
            for actor in self.actors
            if actor.leaves_bag_s is not None and (place := actor.at(actor.leaves_bag_s))
        ]
        object.__setattr__(self, "bags", tuple(left))

    def frames(self) -> Iterator[RenderedFrame]:
        """Yield the frames in order."""
        ground = street(self.width, self.height, self.street)
        chance = np.random.default_rng(self.seed)
        for number in range(round(self.seconds * self.fps)):
            time_s = number / self.fps
            picture, boxes = ground.copy(), {}
            # What is nearer hides what is farther away.
            for name, place, actor in sorted(self._present(time_s), key=lambda one: one[1].y):
                box = (
                    self._draw(picture, actor, place)
                    if name == actor.name
                    else self._draw_bag(picture, actor, place, place.x)
                )
                if box[0] < box[2] and box[1] < box[3]:
                    boxes[name] = box
            noisy = picture + chance.normal(0, _NOISE, picture.shape[:2])[:, :, None]
            happening = tuple(e for e in self.events if e.start_s <= time_s < e.end_s)
            pixels = np.clip(noisy, 0, 255).astype(np.uint8)
            yield RenderedFrame(time_s, pixels, boxes, happening)

    def _present(self, time_s: float) -> Iterator[tuple[str, Waypoint, Actor]]:
        for actor, place in self.bags:
            if actor.leaves_bag_s is not None and time_s >= actor.leaves_bag_s:
                yield f"{actor.name}'s bag", place, actor
        for actor in self.actors:
            here = actor.at(time_s)
            if here is not None:
                yield actor.name, here, actor

    def _draw(self, picture: Pixels, actor: Actor, place: Waypoint) -> Box:
        tall = tallness(place.y) * self.height
        feet = (place.x * self.width, place.y * self.height)
        step_s = 1 / self.fps
        before = actor.at(place.time_s - step_s) or actor.at(place.time_s + step_s) or place
        after = actor.at(place.time_s + step_s) or place
        sideways = (after.x - before.x) * self.width
        own = float(sum(map(ord, actor.name)))
        if actor.fights and actor.fights[0] <= place.time_s < actor.fights[1]:
            stagger = 0.06 * tall * math.sin(2 * math.pi * 0.9 * place.time_s + own)
            feet = (feet[0] + stagger, feet[1])
            posture = striking(place.time_s, own)
        elif math.hypot(sideways, (after.y - before.y) * self.height) < 0.01 * tall:
            posture = standing(place.time_s, own)
        else:
            posture = walking(self._walked(actor, place) + own)
        facing = _facing(actor, place)
        shadow = (round(feet[0]), round(feet[1])), (round(0.22 * tall), max(1, round(0.04 * tall)))
        cv2.ellipse(picture, shadow[0], shadow[1], 0, 0, 360, (70, 70, 72), -1, cv2.LINE_AA)
        draw_figure(picture, feet, tall, facing, posture, actor.clothes)
        carried = actor.leaves_bag_s is None or place.time_s < actor.leaves_bag_s
        if actor.bag is not None and carried:
            self._draw_bag(picture, actor, place, place.x + 0.16 * tall / self.width * facing)
        half = 0.2 * tall / self.width
        return _inside((place.x - half, place.y - tall / self.height, place.x + half, place.y))

    def _draw_bag(self, picture: Pixels, actor: Actor, place: Waypoint, x: float) -> Box:
        tall = tallness(place.y) * self.height
        wide, high = 0.24 * tall, 0.2 * tall
        left, top = x * self.width - wide / 2, place.y * self.height - high
        corners = (round(left), round(top)), (round(left + wide), round(top + high))
        colour = actor.bag or (40, 60, 120)
        cv2.rectangle(picture, corners[0], corners[1], colour, -1, cv2.LINE_AA)
        middle = (round(left + wide / 2), round(top))
        size = (max(1, round(wide / 4)), max(1, round(high / 3)))
        cv2.ellipse(picture, middle, size, 0, 180, 360, (30, 30, 30), 1, cv2.LINE_AA)
        return _inside(
            (
                left / self.width,
                top / self.height,
                (left + wide) / self.width,
                (top + high) / self.height,
            )
        )

    def _walked(self, actor: Actor, place: Waypoint) -> float:
        """Return how far someone has come, in own heights."""
        done = [point for point in actor.path if point.time_s < place.time_s] + [place]
        return sum(
            math.hypot((two.x - one.x) * self.width / self.height, two.y - one.y)
            / tallness((one.y + two.y) / 2)
            for one, two in itertools.pairwise(done)
        )


def tallness(y: float) -> float:
    """Return how tall someone is whose feet are there, as a part of the picture's height."""
    return _TALLEST * (y - HORIZON + _RISE) / (1 - HORIZON + _RISE)


def _facing(actor: Actor, place: Waypoint) -> int:
    """Return 1 where someone goes, or last went, to the right, and -1 to the left."""
    before = [one for one in actor.path if one.time_s <= place.time_s]
    walked = actor.path[: len(before) + 1]
    for one, two in zip(reversed(walked[:-1]), reversed(walked[1:]), strict=True):
        if one.x != two.x:
            return 1 if two.x > one.x else -1
    return 1


def _inside(box: Box) -> Box:
    left, top, right, bottom = (min(1.0, max(0.0, edge)) for edge in box)
    return left, top, right, bottom
