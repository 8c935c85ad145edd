"""The desk: takes observations, keeps the alerts that go on, and has people told of them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tiepoint.errors import StoreError
from tiepoint_adapters.clock import Clock
from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.condition import Condition
from tiepoint_security.alerts.escalation import step_due, waits
from tiepoint_security.alerts.journal import Addressed, Journal
from tiepoint_security.alerts.limits import RateSettings
from tiepoint_security.alerts.messages import MessageType, message_of
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.alerts.policy import AlertPolicy
from tiepoint_security.alerts.subjects import Sight, alert_of_same_subject
from tiepoint_security.alerts.telling import Gate, Policies

logger = logging.getLogger(__name__)

MOST_UNRECORDED = 1000
"""How much waits in memory while the database cannot be written."""

_ORPHANED_S = 10.0
"""How long an alert of an earlier process waits for its subject to be seen again."""

Key = tuple[str, str, str]
"""A camera, a rule and a track."""


class AlertDesk:
    """Turns observations into alerts, and alerts into messages.

    `observe` is called for every analysed frame and `tick` about once a second, from any
    threads. Durations are measured with the monotonic clock; the wall clock is for labels and
    schedules only.

    Args:
        journal: What keeps alerts and messages.
        sinks: The names of all sinks.
        clock: The clocks.
        policies: What becomes of the alerts of each rule.
        rate: The most new alerts of all rules and cameras together.
    """

    def __init__(
        self,
        journal: Journal,
        sinks: Sequence[str],
        clock: Clock,
        policies: Policies | None = None,
        rate: RateSettings | None = None,
    ) -> None:
        self.journal = journal
        self.sinks = tuple(sinks)
        self.clock = clock
        self.policies = policies or Policies()
        self._gate = Gate(clock, rate)
        self._conditions: dict[Key, Condition] = {}
        self._sights: dict[Key, Sight] = {}
        self._alerts: dict[str, Alert] = {}
        self._of_key: dict[Key, Alert] = {}
        self._unrecorded: deque[tuple[Alert, list[Addressed]]] = deque()
        self._lost = 0
        self._unwritable = False
        self._lock = threading.RLock()
        self._writing = threading.Lock()

    def restore(self, cameras: Collection[str] | None = None) -> None:
        """Take up the alerts of the process before: those that went on or await somebody.

        Args:
            cameras: Those of these cameras only; all if None.

        Raises:
            StoreError: They cannot be read.
        """
        with self._lock:
            for alert in self.journal.unfinished():
                if cameras is None or alert.camera in cameras:
                    self._alerts.setdefault(alert.id, alert)

    def release(self, cameras: Collection[str]) -> None:
        """Leave the alerts of cameras to another process, as they are.

        Args:
            cameras: The cameras that this process no longer watches.
        """
        with self._lock:
            for alert in [one for one in self._alerts.values() if one.camera in cameras]:
                del self._alerts[alert.id]
            for key in [key for key in self._conditions if key[0] in cameras]:
                self._of_key.pop(key, None)
                self._forget(key)

    def close(self, camera: str) -> None:
        """End the alerts of a camera whose footage is over, as of a file that was played.

        Args:
            camera: Nothing is observed of it any more.
        """
        with self._lock:
            for key in [key for key in self._conditions if key[0] == camera]:
                self._clear(key)
                self._forget(key)
            for alert in self._alerts.values():
                if alert.camera == camera and alert.active and not alert.live:
                    self._end(alert)
        self._write()

    def observe(self, observation: Observation) -> Alert | None:
        """Take an observation; return the alert that it belongs to, if it belongs to one."""
        alert = self._observed(observation)
        if self._unrecorded and not self._unwritable:
            self._write()
        return alert

    def _observed(self, observation: Observation) -> Alert | None:
        key = (observation.camera, observation.rule, observation.track)
        policy = self.policies.of(observation.camera, observation.rule)
        with self._lock:
            now_s = self.clock.monotonic()
            if key not in self._conditions:
                self._conditions[key] = Condition(policy.condition)
            condition = self._conditions[key]
            change = condition.observe(observation.score, now_s)
            if not condition.begins:
                self._sights.pop(key, None)
            elif key not in self._sights:
                self._sights[key] = Sight(now_s, observation.box)
            if change.raised:
                return self._raise(key, observation, policy, now_s)
            alert = self._of_key.get(key)
            if change.cleared:
                self._clear(key)
            elif alert is not None:
                holds = observation.score >= policy.condition.clear_below
                worse = alert.see(observation, now_s, holds=holds)
                if worse or now_s - alert.updated_s >= policy.update_every_s:
                    self._tell(alert, "update")
            return alert

    def tick(self) -> None:
        """Let time pass: ends what is no longer seen, escalates, and delivers what was held."""
        with self._lock:
            now_s = self.clock.monotonic()
            for key, condition in list(self._conditions.items()):
                if condition.lapse(now_s).cleared:
                    self._clear(key)
                if not condition.holds and now_s - condition.seen_s > max(
                    condition.settings.clear_after_s, 1.0
                ):
                    self._forget(key)
            unanswered = [alert.id for alert in self._alerts.values() if not alert.acknowledged_by]
        # The database may take its time: nothing that observes waits for it here.
        answers = self._acknowledged(unanswered)
        with self._lock:
            for alert_id, user in answers.items():
                self._take_acknowledgement(alert_id, user)
            for alert in list(self._alerts.values()):
                self._age(alert, self.clock.monotonic())
        self._write()

    def attach(self, alert_id: str, kind: str, path: str) -> None:
        """Add evidence to an alert and tell of it, if the desk still has the alert.

        Args:
            alert_id: The alert.
            kind: Such as `snapshot` or `clip`.
            path: Where it is, below the folder of evidence.
        """
        with self._lock:
            alert = self._alerts.get(alert_id)
            if alert is not None:
                alert.evidence[kind] = path
                self._tell(alert, "update")
        if not self._unwritable:
            self._write()

    def health(self) -> dict[str, Any]:
        """Return plain data: alerts that go on, and whether they can be kept."""
        with self._lock:
            waiting = len(self._unrecorded)
            return {
                "status": "degraded" if waiting or self._lost else "ok",
                "active": sum(alert.active for alert in self._alerts.values()),
                "held": sum(alert.held is not None for alert in self._alerts.values()),
                "unrecorded": waiting,
                "lost": self._lost,
            }

    def _raise(
        self, key: Key, observation: Observation, policy: AlertPolicy, now_s: float
    ) -> Alert:
        same_rule = [alert for alert in self._alerts.values() if alert.rule == observation.rule]
        known = alert_of_same_subject(observation, self._sights[key], same_rule, policy, now_s)
        alert = known or Alert.raised(observation, self.clock)
        self._alerts[alert.id] = self._of_key[key] = alert
        track = (observation.camera, observation.track)
        alert.tracks.add(track)
        alert.live.add(track)
        if known is None:
            self._announce(alert, policy)
        else:
            alert.see(observation, now_s)
            alert.ended_wall_s = None
            self._tell(alert, "update")
        return alert

    def _announce(self, alert: Alert, policy: AlertPolicy) -> None:
        """Tell of an alert for the first time, unless it has to be held (still)."""
        before = alert.held
        alert.held = self._gate.hold(alert, policy)
        if alert.held is not None:
            if alert.held != before:
                self._record(alert, [])
            return
        alert.told_s = alert.told_last_s = self.clock.monotonic()
        alert.told = list(policy.sinks or self.sinks)
        self._record(alert, [self._message(alert, "new", tuple(alert.told))])

    def _tell(self, alert: Alert, kind: MessageType) -> None:
        """Tell of a change those who know of the alert."""
        if alert.told_s is None:
            alert.updated_s = self.clock.monotonic()
            self._record(alert, [])
        else:
            self._record(alert, [self._message(alert, kind, tuple(alert.told))])

    def _forget(self, key: Key) -> None:
        del self._conditions[key]
        self._sights.pop(key, None)

    def _clear(self, key: Key) -> None:
        alert = self._of_key.pop(key, None)
        if alert is None:
            return
        camera, _, track = key
        alert.live.discard((camera, track))
        if not alert.live:
            self._end(alert)

    def _end(self, alert: Alert) -> None:
        alert.ended_wall_s = self.clock.wall()
        self._tell(alert, "end")

    def _age(self, alert: Alert, now_s: float) -> None:
        policy = self.policies.of(alert.camera, alert.rule)
        if alert.active and not alert.live and now_s - alert.seen_s >= _ORPHANED_S:
            self._end(alert)
        if alert.active and alert.held is not None and alert.acknowledged_by is None:
            self._announce(alert, policy)
        step = step_due(alert, policy.escalation, now_s)
        if step is not None and policy.schedule.delivers(alert.severity, self.clock.wall()):
            self._escalate(alert, step.sinks or self.sinks, policy)
        since_s = max(
            alert.seen_s, alert.opened_s if alert.told_last_s is None else alert.told_last_s
        )
        over = not alert.active and now_s - since_s >= policy.cooldown_s
        if over and not waits(alert, policy.escalation, now_s):
            del self._alerts[alert.id]

    def _escalate(self, alert: Alert, sinks: Sequence[str], policy: AlertPolicy) -> None:
        """Take the next step: sinks that know of the alert get an update, others a `new`."""
        alert.level = min(alert.level + 1, len(policy.escalation.steps))
        alert.told_last_s = self.clock.monotonic()
        knowing = tuple(sink for sink in sinks if sink in alert.told)
        others = tuple(sink for sink in sinks if sink not in alert.told)
        messages = []
        if knowing:
            messages.append(self._message(alert, "update", knowing))
        if others:
            messages.append(self._message(alert, "new", others))
            alert.told.extend(others)
        self._record(alert, messages)

    def _message(self, alert: Alert, kind: MessageType, sinks: tuple[str, ...]) -> Addressed:
        alert.revision += 1
        alert.updated_s = self.clock.monotonic()
        before = None if kind == "new" else alert.told_view
        message = message_of(alert, kind, before, self.clock.wall())
        alert.told_view = message.body["after"]
        return Addressed(message, sinks)

    def _acknowledged(self, ids: Sequence[str]) -> Mapping[str, str]:
        if not ids or self._unwritable:
            return {}
        try:
            return self.journal.acknowledged(ids)
        except StoreError as error:
            logger.warning("acknowledgements cannot be read: %s", error)
            return {}

    def _take_acknowledgement(self, alert_id: str, user: str) -> None:
        alert = self._alerts.get(alert_id)
        if alert is not None and alert.acknowledged_by is None:
            alert.acknowledged_by = user
            self._tell(alert, "update")

    def _record(self, alert: Alert, messages: list[Addressed]) -> None:
        if len(self._unrecorded) >= MOST_UNRECORDED:
            self._unrecorded.popleft()
            self._lost += 1
        self._unrecorded.append((alert.copy(), messages))

    def _write(self) -> None:
        """Keep what waits, in order; what cannot be kept now is tried again at the next tick."""
        with self._writing:
            while self._unrecorded:
                waiting = self._unrecorded[0]
                try:
                    self.journal.record(*waiting)
                except StoreError as error:
                    if not self._unwritable:
                        logger.error("alerts cannot be kept, and wait in memory: %s", error)
                    self._unwritable = True
                    return
                self._unwritable = False
                with self._lock:
                    if self._unrecorded and self._unrecorded[0] is waiting:
                        self._unrecorded.popleft()
