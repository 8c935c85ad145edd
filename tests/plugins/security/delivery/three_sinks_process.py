"""A process that raises alerts for three sinks until it is killed: FILE WEB BROKER MAIL RUN.

It prints the id of each alert once that was recorded.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.sinks.apprise import AppriseSink
from tiepoint_adapters.sinks.base import Sink
from tiepoint_adapters.sinks.mqtt import MqttSink
from tiepoint_adapters.sinks.webhook import WebhookSink
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.delivery.dispatcher import Dispatcher
from tiepoint_security.delivery.outbox import Outbox
from tiepoint_security.delivery.settings import DeliverySettings
from tiepoint_security.records.database import Database
from tiepoint_security.records.ledger import Ledger

ALERTS = 3
MAX_AGE_S = 300.0


def main(file: str, web: str, broker: str, mail: str, run: str) -> None:
    clock = SystemClock()
    database = Database.in_file(Path(file))
    settings = DeliverySettings(
        timeout_s=8, first_wait_s=0.1, longest_wait_s=1, max_age_s=MAX_AGE_S
    )
    sinks: dict[str, Sink] = {
        "web": WebhookSink(web),
        "broker": MqttSink(broker, client_id="sender"),
        "mail": AppriseSink(mail),
    }
    dispatcher = Dispatcher(Outbox(database, run, clock), sinks, clock, settings)
    dispatcher.start()
    desk = AlertDesk(Ledger(database, clock, dispatcher.wake), tuple(sinks), clock)
    for number in range(ALERTS):
        for _ in range(4):
            alert = desk.observe(Observation("gate", "intrusion", 0.9, track=f"{run}-{number}"))
        if alert is not None:
            sys.stdout.write(f"{alert.id}\n")
            sys.stdout.flush()
        time.sleep(0.1)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
