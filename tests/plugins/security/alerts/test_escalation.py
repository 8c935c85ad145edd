"""Alerts that nobody acknowledges go further, until somebody does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.alert_scene import Scene
from tiepoint_security.alerts.policy import EscalationSettings

STEPS: dict[str, Any] = {
    "steps": [{"after_s": 60, "sinks": ["mail"]}, {"after_s": 120, "sinks": ["mail", "phone"]}],
    "repeat_s": 300,
    "give_up_s": 3600,
}


def watched() -> Scene:
    return Scene(
        all_sinks=("web", "mail", "phone"),
        sinks=("web",),
        escalation=STEPS,
        update_every_s=3600,
    )


def told(scene: Scene) -> list[tuple[str, tuple[str, ...], int]]:
    return [
        (m.message.body["type"], m.sinks, m.message.body["after"]["level"])
        for m in scene.notebook.messages
        if m.message.body["type"] != "end"
    ]


def test_each_step_tells_more_people_and_whoever_is_new_gets_a_new() -> None:
    scene = watched()
    scene.see(0.9, 2)
    scene.wait(130)
    assert told(scene) == [
        ("new", ("web",), 0),
        ("new", ("mail",), 1),
        ("update", ("mail",), 2),
        ("new", ("phone",), 2),
    ]


def test_last_step_is_repeated_until_it_is_given_up() -> None:
    scene = watched()
    scene.see(0.9, 2)
    scene.wait(3600)
    repeats = [t for t in told(scene) if t[0] == "update" and t[1] == ("mail", "phone")]
    assert len(repeats) == (3600 - 121) // 300
    scene.wait(3600)
    assert len([t for t in told(scene) if t[1] == ("mail", "phone")]) == len(repeats)


def test_acknowledgement_by_another_process_ends_the_escalation_and_is_told_of() -> None:
    scene = watched()
    alert = scene.see(0.9, 2)
    assert alert is not None
    scene.wait(70)
    scene.notebook.answers[alert.id] = "ada"
    scene.wait(3600)
    last = scene.notebook.messages[-1]
    assert last.message.body["after"]["acknowledged_by"] == "ada"
    assert last.sinks == ("web", "mail")
    assert max(level for _, _, level in told(scene)) == 1


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="later than the one before"):
        EscalationSettings.model_validate({"steps": [{"after_s": 60}, {"after_s": 60}]})
