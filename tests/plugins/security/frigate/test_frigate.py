"""Events of a Frigate installation, over a real broker, become alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.alert_scene import Notebook
from tests.mosquitto import Broker, needs_mosquitto, running_broker
from tests.waiting import until
from tiepoint.errors import ConfigError
from tiepoint_adapters.clock import SystemClock
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.frigate.events import SILENT_S, FrigateEvents
from tiepoint_security.frigate.settings import FrigateSettings
from tiepoint_security.frigate.source import FrigateSource

RULES: dict[str, Any] = {"person_in_yard": {"labels": ["person"], "zones": ["yard"], "least": 0.7}}


def event(kind: str, zones: list[str], score: float = 0.8, **after: Any) -> bytes:
    about = {
        "id": "1700000000.1-abc",
        "camera": "back",
        "label": "person",
        "score": score,
        "current_zones": zones,
        **after,
    }
    return json.dumps({"type": kind, "before": about, "after": about}).encode()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    yield from running_broker(tmp_path)


@needs_mosquitto
def test_event_that_enters_a_zone_later_is_an_alert_until_it_ends(broker: Broker) -> None:
    notebook = Notebook()
    desk = AlertDesk(notebook, ("web",), SystemClock())
    settings = FrigateSettings.model_validate({"url": broker.url, "rules": RULES})
    source = FrigateSource(settings, desk, SystemClock())
    source.start()
    frigate = paho.Client(CallbackAPIVersion.VERSION2)
    frigate.connect("127.0.0.1", broker.port)
    frigate.loop_start()
    until(lambda: source.health()["status"] == "ok")

    def told(kind: str) -> list[Any]:
        bodies = [addressed.message.body for addressed in notebook.messages]
        return [b for b in bodies if b["type"] == kind and b["after"]["rule"] != "frigate"]

    frigate.publish("frigate/events", event("new", []), qos=1)
    frigate.publish("frigate/events", b"not json", qos=1)
    until(lambda: source.health()["unreadable"] == 1)
    frigate.publish("frigate/events", event("update", ["yard"]), qos=1)
    until(lambda: told("new"))
    [alert] = told("new")
    assert alert["after"]["camera"] == "back"
    assert alert["after"]["zones"] == ["yard"]
    assert alert["after"]["contributions"] == {"person": 0.8}
    frigate.publish("frigate/events", event("end", ["yard"]), qos=1)

    def over() -> bool:
        desk.tick()
        return bool(told("end"))

    until(over)
    broker.stop()
    until(lambda: source.health()["status"] == "lost")
    broker.start()
    until(lambda: source.health()["status"] == "ok")
    frigate.loop_stop()
    source.stop()


def test_event_whose_end_was_lost_is_given_up() -> None:
    events = FrigateEvents(
        FrigateSettings.model_validate({"url": "mqtt://x", "rules": RULES}).rules
    )
    events.hear(event("new", ["yard"]), 0.0)
    assert events.observations(1.0)[0].score > 0.5
    assert events.observations(SILENT_S + 1)[0].score == 0
    assert events.going_on == 0


def test_other_labels_and_lower_scores_raise_nothing() -> None:
    events = FrigateEvents(
        FrigateSettings.model_validate({"url": "mqtt://x", "rules": RULES}).rules
    )
    events.hear(event("new", ["yard"], label="dog"), 0.0)
    assert events.observations(1.0) == []
    events.hear(event("new", ["yard"], score=0.4), 0.0)
    assert events.observations(1.0)[0].score < 0.5


def test_url_that_names_no_broker_is_refused() -> None:
    settings = FrigateSettings.model_validate({"url": "http://x", "rules": RULES})
    with pytest.raises(ConfigError, match="Frigate's broker"):
        FrigateSource(settings, AlertDesk(Notebook(), (), SystemClock()), SystemClock())
