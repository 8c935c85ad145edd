"""A rule on one camera: its triggers, joined, and what it says of each subject in a frame.

Scores are joined as in fuzzy logic (Zadeh, 1965): `all` is the least, `any` the greatest, and
`not` is 1 less the score, so that 0.5 stays the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tiepoint_security.alerts.observation import Box, Observation
from tiepoint_security.rules.places import Zone, in_zone
from tiepoint_security.rules.settings import RuleSettings, TriggerSettings, When
from tiepoint_security.scene.view import Region, View
from tiepoint_security.triggers.base import About, Trigger

MakeTrigger = Callable[[TriggerSettings], Trigger]

_SEEN_S = 1.0
"""A region that was not seen for longer says nothing; the desk lets its alerts lapse."""


@dataclass(frozen=True, slots=True)
class _Node:
    kind: Literal["all", "any", "not", "trigger"]
    parts: tuple[_Node, ...] = ()
    name: str = ""
    trigger: Trigger | None = None

    def score(self, subject: Region | None) -> float:
        if self.trigger is not None:
            return self.trigger.score(subject)
        scores = [part.score(subject) for part in self.parts]
        if self.kind == "not":
            return 1.0 - scores[0]
        return min(scores) if self.kind == "all" else max(scores)

    def triggers(self) -> Iterator[tuple[str, Trigger]]:
        if self.trigger is not None:
            yield self.name, self.trigger
        for part in self.parts:
            yield from part.triggers()


class Rule:
    """A rule on one camera.

    It is about the things that one of its triggers finds; else, where a trigger speaks of
    regions, about each region; else about the scene.

    Args:
        name: The rule's.
        settings: As it is on this camera.
        zones: The camera's, for what observations say.
        make: Makes triggers.
    """

    def __init__(
        self, name: str, settings: RuleSettings, zones: dict[str, Zone], make: MakeTrigger
    ) -> None:
        self.name = name
        self.settings = settings
        self._zones = zones
        self._root = _tree(settings.when, make, {})
        self.triggers = dict(self._root.triggers())
        kinds = {trigger.about for trigger in self.triggers.values()}
        order: tuple[About, ...] = ("things", "regions", "scene")
        self.about: About = next(kind for kind in order if kind in kinds)

    def step(self, view: View) -> None:
        """Take the next frame of the camera."""
        for trigger in self.triggers.values():
            trigger.step(view)

    def observations(self, view: View) -> list[Observation]:
        """Return what the rule says of its subjects in the frame of the last `step`."""
        if self.about == "scene":
            box = next((box for t in self.triggers.values() if (box := t.box())), None)
            return [self._observed(view, None, box)]
        if self.about == "regions":
            seen = [one for one in view.regions if view.time_s - one.seen_s <= _SEEN_S]
            return [self._observed(view, region, region.box) for region in seen]
        things = [thing for trigger in self.triggers.values() for thing in trigger.things()]
        return [self._observed(view, thing, thing.box) for thing in things]

    def missing(self) -> dict[str, str]:
        """Return what triggers still need before they can say anything, by trigger."""
        found = {name: trigger.readiness() for name, trigger in self.triggers.items()}
        return {name: one.missing for name, one in found.items() if not one.ready}

    def _observed(self, view: View, subject: Region | None, box: Box | None) -> Observation:
        foot = None if box is None else ((box[0] + box[2]) / 2, box[3])
        zones = [n for n, zone in self._zones.items() if foot is not None and in_zone(foot, zone)]
        look = None if subject is None else subject.look
        return Observation(
            camera=view.frame.camera,
            rule=self.name,
            score=self._root.score(subject),
            track="" if subject is None else subject.track,
            severity=self.settings.severity,
            box=box,
            appearance=None if look is None else look.own,
            zones=tuple(zones),
            contributions={n: trigger.score(subject) for n, trigger in self.triggers.items()},
            seen=subject is None or subject.seen_s == view.time_s,
        )


def _tree(when: When, make: MakeTrigger, counts: dict[str, int]) -> _Node:
    """Return the triggers of a condition, each with a name of its own within the rule."""
    if when.trigger is not None:
        kind, settings = when.trigger
        counts[kind] = counts.get(kind, 0) + 1
        name = kind if counts[kind] == 1 else f"{kind} {counts[kind]}"
        return _Node("trigger", name=name, trigger=make(settings))
    parts = tuple(_tree(part, make, counts) for _, part in when.parts())
    if when.not_ is not None:
        return _Node("not", parts)
    return _Node("all" if when.all is not None else "any", parts)
