"""Alerts and their messages are kept together, and taken up by the next process."""

from __future__ import annotations

from typing import Any

import numpy as np
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.alert_scene import FRAME_S, looks
from tests.simulated_clock import SimulatedClock
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.alerts.policy import AlertPolicy
from tiepoint_security.alerts.telling import Policies
from tiepoint_security.delivery.outbox import Outbox
from tiepoint_security.records.archive import Archive, Question
from tiepoint_security.records.audit import audit_log
from tiepoint_security.records.database import Database
from tiepoint_security.records.ledger import Ledger
from tiepoint_security.records.tables import Table

ESCALATING: dict[str, Any] = {"escalation": {"steps": [{"after_s": 60}]}, "update_every_s": 3600}


def process(database: Database, clock: SimulatedClock, **policy: Any) -> AlertDesk:
    """Start a process that finds what the one before left."""
    desk = AlertDesk(
        Ledger(database, clock), ["web"], clock, Policies(AlertPolicy(**{**ESCALATING, **policy}))
    )
    desk.restore()
    return desk


def see(desk: AlertDesk, clock: SimulatedClock, seconds: float = 2, **observation: Any) -> None:
    for _ in range(round(seconds / FRAME_S)):
        clock.pass_by(FRAME_S)
        desk.observe(Observation(**{"camera": "gate", "rule": "r", "score": 0.9, **observation}))
        desk.tick()


def wait(desk: AlertDesk, clock: SimulatedClock, seconds: float) -> None:
    for _ in range(round(seconds)):
        clock.pass_by(1)
        desk.tick()


def sent(database: Database, clock: SimulatedClock) -> list[tuple[str, str]]:
    """Empty the outbox; return type and key of each message."""
    outbox, messages = Outbox(database, "test", clock), []
    while (parcel := outbox.claim("web", 10)) is not None:
        messages.append((parcel.message.body["type"], parcel.message.key))
        outbox.delivered(parcel)
    return messages


def test_what_is_kept_is_what_messages_show(database: Database, clock: SimulatedClock) -> None:
    desk = process(database, clock)
    see(desk, clock, box=(0.1, 0.2, 0.3, 0.4), appearance=looks(1), zones=("door",), track="7")
    (alert,) = Archive(audit_log(database, clock), clock).find(Question())
    assert alert["box"] == [0.1, 0.2, 0.3, 0.4]
    assert alert["zones"] == ["door"]
    assert alert["tracks"] == ["gate/7"]
    assert sent(database, clock) == [("new", f"{alert['id']}:1")]


def test_alert_that_went_on_ends_after_a_restart(database: Database, clock: SimulatedClock) -> None:
    see(process(database, clock), clock)
    clock.pass_by(5)
    clock.monotonic_s = 3.0  # the machine started anew
    desk = process(database, clock)
    wait(desk, clock, 15)
    assert [kind for kind, _ in sent(database, clock)] == ["new", "end"]


def test_subject_that_is_still_there_after_a_restart_is_the_same_alert(
    database: Database, clock: SimulatedClock
) -> None:
    see(process(database, clock), clock, track="1", appearance=looks(1))
    clock.pass_by(5)
    see(process(database, clock), clock, track="900", appearance=looks(1, blend=0.3))
    assert [kind for kind, _ in sent(database, clock)] == ["new", "update"]


def test_escalation_goes_on_after_a_restart_from_when_it_was_told(
    database: Database, clock: SimulatedClock
) -> None:
    see(process(database, clock), clock)
    clock.pass_by(50)
    clock.monotonic_s = 3.0
    desk = process(database, clock)
    wait(desk, clock, 8)
    (alert,) = Archive(audit_log(database, clock), clock).find(Question())
    assert alert["level"] == 0
    wait(desk, clock, 5)
    (alert,) = Archive(audit_log(database, clock), clock).find(Question())
    assert alert["level"] == 1


def test_acknowledgement_reaches_the_desk_and_the_sinks(
    database: Database, clock: SimulatedClock
) -> None:
    desk = process(database, clock)
    see(desk, clock)
    archive = Archive(audit_log(database, clock), clock)
    (alert,) = archive.find(Question())
    assert archive.acknowledge(alert["id"], "ada")
    assert not archive.acknowledge(alert["id"], "bob")
    wait(desk, clock, 100)
    (alert,) = archive.find(Question())
    assert alert["acknowledged_by"] == "ada"
    assert alert["level"] == 0
    assert [kind for kind, _ in sent(database, clock)] == ["new", "update", "end"]


def test_keys_go_on_after_a_restart(database: Database, clock: SimulatedClock) -> None:
    see(process(database, clock), clock)
    wait(process(database, clock), clock, 15)
    keys = [key for _, key in sent(database, clock)]
    assert len(keys) == len(set(keys)) == 2


def test_appearance_survives_a_restart_bit_by_bit(
    database: Database, clock: SimulatedClock
) -> None:
    see(process(database, clock), clock, appearance=looks(1))
    (alert,) = Ledger(database, clock).unfinished()
    assert alert.appearance is not None
    np.testing.assert_array_equal(alert.appearance, looks(1))


def test_tables_are_those_that_the_migrations_make(database: Database) -> None:
    with database.engine().connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Table.metadata) == []
