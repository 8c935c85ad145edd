"""The whole way, with real peers: alerts through restarts of the broker and of the process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.http_receiver import http_receiver
from tests.mosquitto import Broker, needs_mosquitto, running_broker
from tests.waiting import until
from tiepoint.errors import ConfigError
from tiepoint_adapters.sinks.base import Sink
from tiepoint_adapters.sinks.log import LogSink
from tiepoint_adapters.sinks.mqtt import MqttSink
from tiepoint_adapters.sinks.webhook import WebhookSink
from tiepoint_security.alarm import Alarm
from tiepoint_security.alerts.camera_faults import RULE, camera_faults
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.settings import AlarmSettings

QUICK: dict[str, Any] = {"delivery": {"timeout_s": 2, "first_wait_s": 0.1, "longest_wait_s": 0.2}}


def alarm(folder: Path, settings: dict[str, Any] | None = None, **sinks: Sink) -> Alarm:
    chosen = AlarmSettings.model_validate({**QUICK, **(settings or {})})
    return Alarm(chosen, sinks, str(folder / "data"), "test")


def happen(one: Alarm, number: int) -> str:
    """Let something happen; return the key of the message about it."""
    for _ in range(4):
        alert = one.desk.observe(Observation("gate", "intrusion", 0.9, track=str(number)))
    assert alert is not None
    return f"{alert.id}:1"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    yield from running_broker(tmp_path)


class Receiver:
    """A subscriber whose session outlives connections; it does what a message says once."""

    def __init__(self, broker: Broker) -> None:
        self.done: list[str] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, "receiver", clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe("tiepoint/alerts", qos=1)
        self.client.on_message = lambda _client, _data, message: self._do(message.payload)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def _do(self, payload: bytes) -> None:
        key = json.loads(payload)["key"]
        if key not in self.done:
            self.done.append(key)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@needs_mosquitto
def test_broker_that_is_restarted_costs_no_alert(broker: Broker, tmp_path: Path) -> None:
    one = alarm(tmp_path, broker=MqttSink(broker.url))
    one.start()
    receiver = Receiver(broker)
    expected = [happen(one, 1)]
    until(lambda: receiver.done == expected)
    broker.stop()
    expected += [happen(one, number) for number in (2, 3)]
    until(lambda: one.health()["sinks"]["broker"]["failures_in_a_row"] >= 2)
    assert one.health()["sinks"]["broker"]["waiting"] == 2
    broker.start()
    until(lambda: len(receiver.done) == 3)
    expected.append(happen(one, 4))
    until(lambda: len(receiver.done) == 4)
    one.stop()
    receiver.close()
    assert sorted(receiver.done) == sorted(expected)


def test_sink_that_hangs_keeps_no_other_waiting(tmp_path: Path) -> None:
    class HangingSink(LogSink):
        def send(self, *_: Any) -> None:
            time.sleep(1.5)

    with http_receiver() as receiver:
        one = alarm(tmp_path, slow=HangingSink(), web=WebhookSink(receiver.url))
        one.start()
        began = time.monotonic()
        keys = [happen(one, number) for number in range(3)]
        receiver.await_taken(3)
        assert time.monotonic() - began < 1.5
        one.stop()
    assert receiver.keys == keys


def test_evidence_is_told_of_and_can_be_exported(tmp_path: Path) -> None:
    with http_receiver() as receiver:
        one = alarm(tmp_path, web=WebhookSink(receiver.url))
        one.start()
        alert_id = happen(one, 1).partition(":")[0]
        one.records.evidence.folder.mkdir()
        file = one.records.evidence.folder / "a.jpg"
        file.write_bytes(b"picture")
        one.add_evidence(alert_id, "snapshot", file)
        requests = receiver.await_taken(2)
        one.stop()
    assert requests[1].body["after"]["evidence"] == {"snapshot": "a.jpg"}
    assert requests[1].body["before"]["evidence"] == {}


def test_camera_that_is_lost_or_struck_is_an_alert_of_its_own(tmp_path: Path) -> None:
    one = alarm(tmp_path, log=LogSink())
    health = {
        "gate": {"status": "lost", "faults": []},
        "yard": {"status": "tampered", "faults": ["black"]},
        "door": {"status": "ok", "faults": []},
    }
    raised = {}
    for _ in range(6):
        for observation in camera_faults(health):
            alert = one.desk.observe(observation)
            if alert is not None:
                raised[alert.camera] = alert
    one.stop()
    assert set(raised) == {"gate", "yard"}
    assert all(alert.rule == RULE for alert in raised.values())
    assert raised["yard"].last.contributions == {"black": 1.0}


def test_policy_that_names_an_unknown_sink_is_refused(tmp_path: Path) -> None:
    policy = {"escalation": {"steps": [{"after_s": 60, "sinks": ["phone"]}]}}
    with pytest.raises(ConfigError, match="no sink 'phone'") as caught:
        alarm(tmp_path, {"alerts": {"rules": {"intrusion": policy}}}, log=LogSink())
    assert caught.value.where == "plugins.security.alerts.rules.intrusion"


def test_store_on_a_server_needs_a_folder_for_evidence() -> None:
    with pytest.raises(ConfigError, match="where evidence is kept"):
        Alarm(AlarmSettings(), {}, "http://milvus:19530", "test")
