"""Cameras as subjects of alerts: gone, black, covered or frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tiepoint_security.alerts.observation import Observation
from tiepoint_security.alerts.severity import Severity

RULE = "camera"
"""The name of the rule under which these alerts are raised; no rule of a deployment has it."""

_FAULTS: Mapping[str, Severity] = {
    "lost": "critical",
    "black": "critical",
    "covered": "critical",
    "frozen": "warning",
}


def camera_faults(health: Mapping[str, Mapping[str, Any]]) -> list[Observation]:
    """Return what the health of cameras says to the desk of alerts; to be asked once a second.

    Args:
        health: Of `CameraPool.health`.
    """
    return [
        Observation(
            camera=camera,
            rule=RULE,
            track=fault,
            score=float(fault in _of(state)),
            severity=severity,
            contributions={fault: float(fault in _of(state))},
        )
        for camera, state in health.items()
        for fault, severity in _FAULTS.items()
    ]


def _of(state: Mapping[str, Any]) -> set[str]:
    faults = set(state["faults"])
    return faults | {"lost"} if state["status"] in ("lost", "failed") else faults
