"""From Frigate's events to observations: while an event goes on, it is observed each second.

Frigate publishes `{type: new|update|end, before, after}` to `<prefix>/events` when something
about a tracked object changes, and nothing while it stays as it is. An event of which nothing
was heard for long is given up, as its end may have been lost with the connection.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from tiepoint_security.alerts.observation import Observation
from tiepoint_security.frigate.settings import FrigateRule
from tiepoint_security.triggers.base import scaled

logger = logging.getLogger(__name__)

MOST_EVENTS = 1024
SILENT_S = 300.0
_MOST_BYTES = 1 << 20


@dataclass(slots=True)
class _Event:
    camera: str
    label: str
    score: float
    zones: tuple[str, ...]
    heard_s: float
    over: bool = False


class FrigateEvents:
    """The objects that a Frigate installation tracks now.

    Args:
        rules: What raises alerts, by name.
    """

    def __init__(self, rules: Mapping[str, FrigateRule]) -> None:
        self._rules = dict(rules)
        self._events: OrderedDict[str, _Event] = OrderedDict()
        self.heard = self.unreadable = 0

    def hear(self, payload: bytes, now_s: float) -> None:
        """Take a message of `<prefix>/events`; what cannot be read is counted and left out."""
        try:
            if len(payload) > _MOST_BYTES:
                raise ValueError("it is too large")
            body = json.loads(payload)
            after = body["after"]
            event = _Event(
                camera=str(after["camera"]),
                label=str(after["label"]),
                score=float(after.get("score") or after.get("top_score") or 0.0),
                zones=tuple(str(zone) for zone in after.get("current_zones") or ()),
                heard_s=now_s,
                over=body["type"] == "end",
            )
            name = str(after["id"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.unreadable += 1
            if self.unreadable == 1:
                logger.warning("an event of Frigate cannot be read: %s", error)
            return
        self.heard += 1
        self._events[name] = event
        self._events.move_to_end(name)
        while len(self._events) > MOST_EVENTS:
            self._events.popitem(last=False)

    def observations(self, now_s: float) -> list[Observation]:
        """Return what the rules say of each event now; to be asked about once a second."""
        found = []
        for name, event in list(self._events.items()):
            if event.over or now_s - event.heard_s > SILENT_S:
                del self._events[name]
            for rule_name, rule in self._rules.items():
                if not _applies(rule, event):
                    continue
                inside = not rule.zones or bool(set(rule.zones) & set(event.zones))
                score = 0.0
                if inside and name in self._events:
                    score = scaled(event.score / max(rule.least, 1e-6))
                found.append(
                    Observation(
                        camera=event.camera,
                        rule=rule_name,
                        score=score,
                        track=name,
                        severity=rule.severity,
                        zones=event.zones,
                        contributions={event.label: event.score},
                    )
                )
        return found

    @property
    def going_on(self) -> int:
        """How many events go on."""
        return len(self._events)


def _applies(rule: FrigateRule, event: _Event) -> bool:
    return (not rule.labels or event.label in rule.labels) and (
        not rule.cameras or event.camera in rule.cameras
    )
