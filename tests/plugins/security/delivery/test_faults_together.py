"""A receiver that fails, a broker that restarts and a process that is killed, all at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from aiosmtpd.controller import Controller
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.adapters.sinks.test_apprise import Mailbox
from tests.http_receiver import http_receiver
from tests.mosquitto import Broker, needs_mosquitto, running_broker
from tests.plugins.security.delivery.three_sinks_process import ALERTS, MAX_AGE_S
from tests.ports import free_port
from tiepoint_adapters.sinks.apprise import KEY_HEADER

SCRIPT = Path(__file__).with_name("three_sinks_process.py")
RUNS = 3


class Effects:
    """What a receiver does that knows the keys: each thing once."""

    def __init__(self) -> None:
        self.done: dict[str, Any] = {}
        self.heard = 0
        self.changed: list[str] = []
        self.late: list[str] = []

    def take(self, key: str, body: dict[str, Any]) -> None:
        self.heard += 1
        if self.done.setdefault(key, body) != body:
            self.changed.append(key)
        if time.time() - datetime.fromisoformat(body["at"]).timestamp() > MAX_AGE_S:
            self.late.append(key)


class Subscriber:
    """A receiver whose session outlives the broker's restarts."""

    def __init__(self, broker: Broker, effects: Effects) -> None:
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, "receiver", protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe("tiepoint/alerts", qos=1)
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = lambda _c, _d, m: effects.take(
            dict(m.properties.UserProperty)["key"], json.loads(m.payload)
        )
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 3600
        self.client.connect("127.0.0.1", broker.port, clean_start=False, properties=kept)
        self.client.loop_start()
        assert subscribed.wait(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    yield from running_broker(tmp_path)


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"mailto://127.0.0.1:{port}?from=cameras@site.test&to=guard@site.test"
    controller.stop()


@needs_mosquitto
@pytest.mark.parametrize(
    "outage_s", [4, pytest.param(60, marks=pytest.mark.slow)], ids=["4 s", "a minute"]
)
def test_every_alert_arrives_everywhere_and_takes_effect_once(
    tmp_path: Path, broker: Broker, mailbox: tuple[Mailbox, str], outage_s: float
) -> None:
    box, mail = mailbox
    effects = Effects()
    subscriber = Subscriber(broker, effects)
    recorded: set[str] = set()
    with http_receiver() as receiver:
        receiver.status = 500
        failing_until_s = time.monotonic() + outage_s

        def run(name: int, meanwhile: Callable[[], None]) -> subprocess.Popen[str]:
            words = [str(tmp_path / "alerts.sqlite3"), receiver.url, broker.url, mail, str(name)]
            child = subprocess.Popen(
                [sys.executable, SCRIPT, *words], stdout=subprocess.PIPE, text=True
            )
            assert child.stdout is not None
            for number in range(ALERTS):
                recorded.add(child.stdout.readline().strip())
                if number == ALERTS // 2:
                    meanwhile()
            return child

        for number, meanwhile in enumerate((broker.stop, broker.start)):
            killed = run(number, meanwhile)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        last = run(RUNS - 1, lambda: None)
        broker.stop()  # and once more, while everything waits to be sent
        time.sleep(0.5)
        broker.start()
        time.sleep(max(0.0, failing_until_s - time.monotonic()))
        receiver.status = 204
        expected = {f"{alert}:1" for alert in recorded}
        ends_s = time.monotonic() + 150
        while time.monotonic() < ends_s and not (
            expected <= set(effects.done)
            and expected <= set(receiver.keys)
            and expected <= {mail[KEY_HEADER] for mail in box.mails}
        ):
            time.sleep(0.1)
        last.send_signal(signal.SIGKILL)
        last.wait()
        posted = Effects()
        for request in receiver.taken:
            posted.take(request.key, request.body)
    subscriber.close()
    assert len(recorded) == RUNS * ALERTS
    for one in (posted, effects):
        assert set(one.done) == expected
        assert (one.changed, one.late) == ([], [])
    assert {mail[KEY_HEADER] for mail in box.mails} == expected
