"""Who is told of an alert now, or why nobody is."""

from __future__ import annotations

from collections.abc import Mapping

from tiepoint_adapters.clock import Clock
from tiepoint_security.alerts.alert import Alert, Held
from tiepoint_security.alerts.limits import RateLimit, RateSettings
from tiepoint_security.alerts.policy import AlertPolicy


class Gate:
    """Holds alerts back in quiet hours and above the limits; each limit counts what passed.

    Args:
        clock: The clocks.
        total: The most new alerts of all rules and cameras together.
    """

    def __init__(self, clock: Clock, total: RateSettings | None) -> None:
        self.clock = clock
        self._total = None if total is None else RateLimit(total)
        self._each: dict[tuple[str, str], RateLimit] = {}

    def hold(self, alert: Alert, policy: AlertPolicy) -> Held | None:
        """Return why a new alert may not pass; if it may, it has passed and counts."""
        if not policy.schedule.delivers(alert.severity, self.clock.wall()):
            return "quiet"
        now_s = self.clock.monotonic()
        limits = [limit for limit in (self._total, self._limit(alert, policy)) if limit]
        if not all(limit.has_room(now_s) for limit in limits):
            return "rate"
        for limit in limits:
            limit.count(now_s)
        return None

    def _limit(self, alert: Alert, policy: AlertPolicy) -> RateLimit | None:
        if policy.rate is None:
            return None
        key = (alert.camera, alert.rule)
        if key not in self._each:
            self._each[key] = RateLimit(policy.rate)
        return self._each[key]


class Policies:
    """The policy of each rule, on each camera.

    Args:
        default: That of rules that have none of their own.
        by_rule: Those of rules.
        by_camera: Those of rules on one camera, by camera and rule.
    """

    def __init__(
        self,
        default: AlertPolicy | None = None,
        by_rule: Mapping[str, AlertPolicy] | None = None,
        by_camera: Mapping[tuple[str, str], AlertPolicy] | None = None,
    ) -> None:
        self._default = default or AlertPolicy()
        self._by_rule = dict(by_rule or {})
        self._by_camera = dict(by_camera or {})

    def of(self, camera: str, rule: str) -> AlertPolicy:
        """Return the policy of a rule on a camera."""
        named = self._by_rule.get(rule, self._default)
        return self._by_camera.get((camera, rule), named)
