"""When an alert that nobody acknowledged is told of again, and to whom."""

from __future__ import annotations

from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.policy import EscalationSettings, EscalationStep


def step_due(alert: Alert, settings: EscalationSettings, now_s: float) -> EscalationStep | None:
    """Return the step of the escalation that is due, or None.

    Args:
        alert: The alert; its `level` counts the steps that were taken.
        settings: The steps.
        now_s: The monotonic time.
    """
    if not waits(alert, settings, now_s) or alert.told_s is None or alert.told_last_s is None:
        return None
    if alert.level < len(settings.steps):
        step = settings.steps[alert.level]
        return step if now_s - alert.told_s >= step.after_s else None
    if settings.repeat_s is None or now_s - alert.told_last_s < settings.repeat_s:
        return None
    return settings.steps[-1]


def waits(alert: Alert, settings: EscalationSettings, now_s: float) -> bool:
    """Return whether an alert may yet be told of again for want of an acknowledgement."""
    if alert.acknowledged_by is not None or alert.told_s is None or not settings.steps:
        return False
    if now_s - alert.told_s >= settings.give_up_s:
        return False
    return alert.level < len(settings.steps) or settings.repeat_s is not None
