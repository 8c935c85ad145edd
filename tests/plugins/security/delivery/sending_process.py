"""A process that raises alerts and sends them until it is killed: FILE URL RUN.

It prints the key of each message once that was accepted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.sinks.webhook import WebhookSink
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.delivery.dispatcher import Dispatcher
from tiepoint_security.delivery.outbox import Outbox
from tiepoint_security.delivery.settings import DeliverySettings
from tiepoint_security.records.database import Database
from tiepoint_security.records.ledger import Ledger


def main(file: str, url: str, run: str) -> None:
    clock = SystemClock()
    database = Database.in_file(Path(file))
    settings = DeliverySettings(timeout_s=1, first_wait_s=0.05, longest_wait_s=0.2)
    dispatcher = Dispatcher(
        Outbox(database, run, clock), {"web": WebhookSink(url)}, clock, settings
    )
    dispatcher.start()
    desk = AlertDesk(Ledger(database, clock, dispatcher.wake), ["web"], clock)
    number = 0
    while True:
        number += 1
        for _ in range(4):
            alert = desk.observe(Observation("gate", "intrusion", 0.9, track=f"{run}-{number}"))
        if alert is not None:
            sys.stdout.write(f"{alert.id}:1\n")
            sys.stdout.flush()
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
