"""Scenes of a one-way passage: ordinary people, and each of the things to be noticed.

People walk to the right below `YARD`, which nobody enters on an ordinary day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tiepoint_security.rendering.figure import Clothes, Colour
from tiepoint_security.rendering.scene import Actor, Event, Scene, Waypoint, tallness

YARD = ((0.55, 0.34), (1.0, 0.34), (1.0, 0.52), (0.55, 0.52))
"""Corners of the zone that is out of bounds, as parts of the picture's sides."""

WALKING = 0.8  # heights a second
RUNNING = 1.8 * WALKING
ASPECT = 4 / 3

_SHIRTS: tuple[Colour, ...] = (
    (60, 80, 130),
    (120, 120, 126),
    (70, 100, 70),
    (150, 130, 100),
    (90, 70, 90),
    (40, 44, 52),
)
_TROUSERS: tuple[Colour, ...] = ((40, 44, 60), (70, 66, 60), (90, 90, 96))
_RED = Clothes((190, 30, 36), (36, 36, 44))


def ordinary(seconds: float = 20.0, seed: int = 0, street: int = 0) -> Scene:
    """Return people who walk to the right, one after the other."""
    return Scene(seconds, passers_by(seconds, seed), street=street, seed=seed)


def intrusion(
    seconds: float = 20.0, seed: int = 0, street: int = 0, speed: float = WALKING
) -> Scene:
    """Return ordinary people, and one in red who goes into the yard and looks around there."""
    begins = 0.3 * seconds
    path = _through(begins, [(-0.05, 0.75), (0.5, 0.6), (0.7, 0.46), (0.92, 0.44)], speed)
    inside_s = _when_inside(path)
    path = (*path, Waypoint(max(seconds, path[-1].time_s + 1), 0.92, 0.44))
    actor = Actor("intruder", _RED, path)
    event = Event("intrusion", inside_s, seconds, ("intruder",))
    return _with(seconds, seed, street, (actor,), (event,))


def abandoned_object(seconds: float = 24.0, seed: int = 0, street: int = 0) -> Scene:
    """Return ordinary people, and one who sets a bag down and walks on."""
    begins = 0.1 * seconds
    there = _through(begins, [(-0.05, 0.85), (0.45, 0.8)], WALKING)
    stays_s = there[-1].time_s + 1.5
    away = _through(stays_s, [(0.45, 0.8), (1.05, 0.85)], WALKING)
    actor = Actor(
        "carrier",
        Clothes((60, 80, 130), (40, 44, 60)),
        (*there, *away),
        bag=(30, 90, 60),
        leaves_bag_s=stays_s,
    )
    event = Event("abandoned_object", stays_s, seconds, ("carrier's bag",))
    return _with(seconds, seed, street, (actor,), (event,))


def wrong_direction(seconds: float = 20.0, seed: int = 0, street: int = 0) -> Scene:
    """Return ordinary people, and one in red who walks against them."""
    path = _through(0.35 * seconds, [(1.05, 0.8), (-0.05, 0.8)], WALKING)
    event = Event("wrong_direction", path[0].time_s, path[-1].time_s, ("opposed",))
    return _with(seconds, seed, street, (Actor("opposed", _RED, path),), (event,))


def running(seconds: float = 20.0, seed: int = 0, street: int = 0) -> Scene:
    """Return ordinary people, and one who runs in their direction."""
    path = _through(0.5 * seconds, [(-0.05, 0.8), (1.05, 0.8)], 2.6 * WALKING)
    event = Event("running", path[0].time_s, path[-1].time_s, ("runner",))
    return _with(seconds, seed, street, (Actor("runner", _RED, path),), (event,))


def fight(seconds: float = 20.0, seed: int = 0, street: int = 0) -> Scene:
    """Return two who meet, fight for six seconds, and part."""
    left = _through(0.05 * seconds, [(0.15, 0.9), (0.44, 0.88)], WALKING)
    right = _through(0.05 * seconds, [(0.9, 0.9), (0.55, 0.88)], WALKING)
    start_s = max(left[-1].time_s, right[-1].time_s)
    end_s = min(start_s + 6, seconds - 2)
    actors = tuple(
        Actor(
            name,
            clothes,
            (*path, *_through(end_s, [(path[-1].x, path[-1].y), (away, 0.9)], WALKING)),
            fights=(start_s, end_s),
        )
        for name, path, away, clothes in (
            ("first", left, -0.05, Clothes((40, 44, 52), (70, 66, 60))),
            ("second", right, 1.05, Clothes((150, 130, 100), (40, 44, 60))),
        )
    )
    event = Event("fight", start_s, end_s, ("first", "second"))
    return Scene(seconds, actors, (event,), street=street, seed=seed)


def loitering(seconds: float = 40.0, seed: int = 0, street: int = 0) -> Scene:
    """Return ordinary people, and one who walks up and down."""
    turns = [(0.2, 0.7), (0.45, 0.7)] * (2 + int(seconds / 4))
    whole = _through(1.0, [(-0.05, 0.7), *turns], WALKING * 0.7)
    path = tuple(point for point in whole if point.time_s <= seconds + 5)
    event = Event("loitering", path[1].time_s, seconds, ("loiterer",))
    return _with(seconds, seed, street, (Actor("loiterer", _RED, path),), (event,))


def crowding(seconds: float = 24.0, seed: int = 0, street: int = 0, people: int = 8) -> Scene:
    """Return people who come together in the middle and stay."""
    chance = np.random.default_rng(seed + 7)
    actors: list[Actor] = []
    arrivals: list[float] = []
    for number in range(people):
        side = -0.05 if number % 2 else 1.05
        y = float(chance.uniform(0.72, 0.9))
        x = 0.35 + 0.3 * (number + 0.5) / people
        path = _through(0.5 + 0.5 * number, [(side, y), (x, y)], WALKING)
        arrivals.append(path[-1].time_s)
        path = (*path, Waypoint(max(seconds, arrivals[-1] + 1), x, y))
        actors.append(Actor(f"guest {number}", _clothes(chance), path))
    event = Event("crowding", max(arrivals), seconds, tuple(actor.name for actor in actors))
    return Scene(seconds, tuple(actors), (event,), street=street, seed=seed)


SCRIPTS: Mapping[str, Callable[[float, int, int], Scene]] = {
    "ordinary": ordinary,
    "intrusion": intrusion,
    "abandoned_object": abandoned_object,
    "wrong_direction": wrong_direction,
    "running": running,
    "fight": fight,
    "loitering": loitering,
    "crowding": crowding,
}
"""Every scene by name: a function of its seconds, seed and street."""


def passers_by(seconds: float, seed: int) -> tuple[Actor, ...]:
    """Return ordinary people who come in, one about every three seconds, until the end."""
    chance = np.random.default_rng(seed)
    actors: list[Actor] = []
    begins = -6.0
    while begins < seconds:
        y = float(chance.uniform(0.62, 0.95))
        speed = WALKING * float(chance.uniform(0.85, 1.15))
        path = _through(begins, [(-0.08, y), (1.08, y + float(chance.uniform(-0.03, 0.03)))], speed)
        actors.append(Actor(f"passer-by {len(actors)}", _clothes(chance), path))
        begins += float(chance.uniform(2.0, 4.0))
    return tuple(actors)


def _with(
    seconds: float, seed: int, street: int, actors: tuple[Actor, ...], events: tuple[Event, ...]
) -> Scene:
    everyone = (*passers_by(seconds, seed), *actors)
    return Scene(seconds, everyone, events, street=street, seed=seed)


def _clothes(chance: np.random.Generator) -> Clothes:
    return Clothes(
        _SHIRTS[int(chance.integers(len(_SHIRTS)))],
        _TROUSERS[int(chance.integers(len(_TROUSERS)))],
    )


def _through(
    begins_s: float, places: list[tuple[float, float]], speed: float
) -> tuple[Waypoint, ...]:
    """Return the waypoints of a walk at a speed in own heights a second."""
    path = [Waypoint(begins_s, *places[0])]
    for x, y in places[1:]:
        before = path[-1]
        distance = float(np.hypot((x - before.x) * ASPECT, y - before.y))
        took_s = distance / (speed * tallness((y + before.y) / 2))
        path.append(Waypoint(before.time_s + took_s, x, y))
    return tuple(path)


def _when_inside(path: tuple[Waypoint, ...]) -> float:
    """Return when a path is first in the yard."""
    left, top = YARD[0]
    right, bottom = YARD[2]
    walk = Actor("", _RED, path)
    for time_s in np.arange(path[0].time_s, path[-1].time_s, 0.05).tolist():
        here = walk.at(time_s)
        if here is not None and left <= here.x <= right and top <= here.y <= bottom:
            return float(time_s)
    raise ValueError("the path does not lead into the yard")
