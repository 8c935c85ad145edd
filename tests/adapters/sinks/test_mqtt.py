"""Messages reach a real broker, survive its restarts, and its will tells of our end."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.mosquitto import Broker, needs_mosquitto, running_broker
from tiepoint.errors import ConfigError
from tiepoint_adapters.sinks.base import Message, SinkError
from tiepoint_adapters.sinks.mqtt import MqttSink

MESSAGE = Message("a:1", "subject", "text", "warning", 0.0, {"key": "a:1", "word": "Tür"})


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    yield from running_broker(tmp_path)


class Listener:
    """A subscriber of its own, which sees what a receiver would see."""

    def __init__(self, broker: Broker) -> None:
        self.heard: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        ready: queue.Queue[None] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_message = lambda _c, _d, m: self.heard.put(
            (m.topic, m.payload.decode(), m.properties)
        )
        self.client.on_subscribe = lambda *_: ready.put(None)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe("#", qos=1)
        ready.get(timeout=5)

    def until(self, topic: str, payload: str | None = None) -> tuple[str, str, Any]:
        while True:
            heard = self.heard.get(timeout=5)
            if heard[0] == topic and payload in (None, heard[1]):
                return heard

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@needs_mosquitto
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_message_reaches_a_subscriber(broker: Broker, version: Literal["5", "3.1.1"]) -> None:
    listener = Listener(broker)
    sink = MqttSink(broker.url, topic="site/one", version=version)
    sink.send(MESSAGE, 5)
    _, payload, properties = listener.until("site/one/alerts")
    assert payload == '{"key": "a:1", "word": "Tür"}'
    if version == "5":
        assert dict(properties.UserProperty) == {"key": "a:1"}
    sink.close()
    listener.until("site/one/status", "offline")
    listener.close()


@needs_mosquitto
def test_broker_tells_of_a_process_that_was_killed(broker: Broker) -> None:
    listener = Listener(broker)
    script = (
        "import os, signal\n"
        "from tests.adapters.sinks.test_mqtt import MESSAGE\n"
        "from tiepoint_adapters.sinks.mqtt import MqttSink\n"
        f"MqttSink({broker.url!r}).send(MESSAGE, 5)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    listener.until("tiepoint/status", "online")
    listener.until("tiepoint/status", "offline")
    listener.close()


@needs_mosquitto
def test_broker_that_is_gone_is_an_error_until_it_is_back(broker: Broker) -> None:
    sink = MqttSink(broker.url)
    sink.send(MESSAGE, 5)
    broker.stop()
    for _ in range(2):
        with pytest.raises(SinkError, match="broker"):
            sink.send(MESSAGE, 1)
    broker.start()
    listener = Listener(broker)
    sink.send(MESSAGE, 5)
    listener.until("tiepoint/alerts")
    assert listener.heard.empty()  # what failed before does not come after all
    sink.close()
    listener.close()


@pytest.mark.parametrize(
    ("url", "topic"),
    [("http://host", "a"), ("mqtt://", "a"), ("mqtt://host", "a/#"), ("mqtt://host", "/a")],
)
def test_options_that_cannot_be_are_refused(url: str, topic: str) -> None:
    with pytest.raises(ConfigError):
        MqttSink(url, topic)
