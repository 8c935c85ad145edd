"""The messages about an alert: `new`, `update` and `end`, with what it was and what it is."""

from __future__ import annotations

from typing import Any, Literal

from tiepoint_adapters.clock import timestamp
from tiepoint_adapters.sinks.base import Message
from tiepoint_security.alerts.alert import Alert

MessageType = Literal["new", "update", "end"]


def message_of(
    alert: Alert, kind: MessageType, before: dict[str, Any] | None, wall_s: float
) -> Message:
    """Return the message that tells of an alert's present state, under its revision's key.

    Args:
        alert: The alert.
        kind: `new` for receivers that were not told of it, `end` when it ended.
        before: Its view in the message before, if there was one.
        wall_s: The time.
    """
    key = f"{alert.id}:{alert.revision}"
    after = alert.view()
    return Message(
        key=key,
        subject=_subject(alert, kind),
        text=_text(alert, key),
        severity=alert.severity,
        created_s=wall_s,
        body={
            "type": kind,
            "id": alert.id,
            "key": key,
            "at": timestamp(wall_s),
            "before": before,
            "after": after,
        },
    )


def _subject(alert: Alert, kind: MessageType) -> str:
    words = {"new": "", "update": "update: ", "end": "over: "}
    raised = f" (level {alert.level}, not acknowledged)" if alert.level else ""
    return f"{words[kind]}[{alert.severity}] {alert.rule} on {alert.camera}{raised}"


def _text(alert: Alert, key: str) -> str:
    lines = [
        f"{alert.rule} on {', '.join(alert.cameras)}",
        f"severity: {alert.severity}",
        f"started: {timestamp(alert.started_wall_s)}",
    ]
    if alert.ended_wall_s is not None:
        lines.append(f"ended: {timestamp(alert.ended_wall_s)}")
    if alert.there.zones:
        lines.append(f"zones: {', '.join(alert.there.zones)}")
    lines.append(f"score: {alert.last.score:.2f}, highest {alert.peak:.2f}")
    lines += [f"evidence: {kind} {path}" for kind, path in alert.evidence.items()]
    lines.append(f"reference: {key}")
    return "\n".join(lines)
