"""A PostgreSQL that goes away and comes back: alerts wait in memory, and none is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.plugins.security.records.test_ledger import process, see, sent, wait
from tests.postgresql import PostgreSQL
from tests.simulated_clock import SimulatedClock
from tiepoint.errors import StoreError
from tiepoint_security.delivery.outbox import Outbox
from tiepoint_security.records.archive import Archive, Question
from tiepoint_security.records.audit import audit_log
from tiepoint_security.records.database import Database


def test_alerts_of_an_outage_are_written_in_order_afterwards(clock: SimulatedClock) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgreSQL(Path(folder))
        server.start()
        database = Database(server.url)
        try:
            desk = process(database, clock)
            archive = Archive(audit_log(database, clock), clock)
            see(desk, clock, track="1")
            (before,) = archive.find(Question())
            assert archive.acknowledge(before["id"], "ada")

            server.stop()
            see(desk, clock, camera="yard", track="2")
            wait(desk, clock, 3)
            health = desk.health()
            assert health["status"] == "degraded"
            assert health["unrecorded"] >= 1
            assert health["lost"] == 0
            with pytest.raises(StoreError, match="cannot be used") as told:
                Outbox(database, "test", clock).claim("web", 10)
            assert server.url.rpartition("@")[2] in str(told.value.where)
            with pytest.raises(StoreError):
                archive.acknowledge(before["id"], "bob")

            server.start()
            wait(desk, clock, 30)
            assert desk.health()["status"] == "ok"
            found = archive.find(Question())
            assert {alert["camera"] for alert in found} == {"gate", "yard"}
            keys = [key for _, key in sent(database, clock)]
            assert len(keys) == len(set(keys))
            assert {key.partition(":")[0] for key in keys} == {alert["id"] for alert in found}
            assert [alert["acknowledged_by"] for alert in found if alert["camera"] == "gate"] == [
                "ada"
            ]
            assert audit_log(database, clock).verify().intact
        finally:
            database.close()
            server.stop()
