"""Quiet hours hold back what is delivered, never what is seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from tests.alert_scene import Scene
from tiepoint_security.alerts.schedule import Schedule


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def delivers(schedule: dict[str, Any], text: str, severity: Any = "warning") -> bool:
    zone = schedule.get("timezone", "UTC")
    return Schedule.model_validate(schedule).delivers(severity, at(text, zone))


WORK: dict[str, Any] = {
    "deliver": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "08:00", "end": "18:00"}]
}
NIGHT: dict[str, Any] = {"quiet": [{"days": ["fri"], "start": "22:00", "end": "06:00"}]}


@pytest.mark.parametrize(
    ("schedule", "time", "delivered"),
    [
        ({}, "2026-01-05T03:00", True),
        (WORK, "2026-01-05T08:00", True),
        (WORK, "2026-01-05T18:00", False),
        (WORK, "2026-01-04T12:00", False),
        (NIGHT, "2026-01-09T21:59", True),
        (NIGHT, "2026-01-09T22:00", False),
        (NIGHT, "2026-01-10T05:59", False),
        (NIGHT, "2026-01-10T06:00", True),
        (NIGHT, "2026-01-09T05:00", True),
    ],
)
def test_hours_of_weekdays(schedule: dict[str, Any], time: str, delivered: bool) -> None:
    assert delivers(schedule, time) is delivered


def test_hours_are_those_of_the_zone_also_when_its_clocks_change() -> None:
    schedule = {**WORK, "timezone": "Europe/Berlin"}
    assert delivers(schedule, "2026-03-30T08:00")
    assert not delivers(schedule, "2026-03-30T07:59")
    assert Schedule.model_validate(schedule).delivers("info", at("2026-03-30T06:00", "UTC"))
    assert not Schedule.model_validate(schedule).delivers("info", at("2026-03-27T06:00", "UTC"))


def test_worst_alerts_break_the_quiet() -> None:
    assert delivers(NIGHT, "2026-01-09T23:00", "critical")
    loudless = {"quiet": [{**NIGHT["quiet"][0], "up_to": "critical"}]}
    assert not delivers(loudless, "2026-01-09T23:00", "critical")


def quiet_at_noon() -> Scene:
    return Scene(
        schedule={"quiet": [{"start": "11:00", "end": "12:01"}]},
        update_every_s=3600,
        cooldown_s=5,
    )


def test_alert_of_quiet_hours_is_recorded_and_not_delivered() -> None:
    scene = quiet_at_noon()
    scene.see(0.9, 2)
    scene.see(0.0, 5)
    scene.wait(120)
    assert scene.types == []
    (kept,) = scene.notebook.kept.values()
    assert kept["held"] == "quiet"
    assert kept["state"] == "ended"


def test_alert_that_outlasts_the_quiet_hours_is_delivered_then() -> None:
    scene = quiet_at_noon()
    scene.see(0.9, 50)
    assert scene.types == []
    scene.see(0.9, 15)
    assert scene.types == ["new"]


@pytest.mark.parametrize(
    "schedule",
    [
        {"timezone": "Mars/Olympus"},
        {"deliver": [{"days": ["someday"]}]},
        {"quiet": [{"start": "25:00"}]},
        {"quiet": [{"start": "24:00"}]},
        {"quiet": [{"days": []}]},
    ],
)
def test_schedules_that_cannot_be_are_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate(schedule)
