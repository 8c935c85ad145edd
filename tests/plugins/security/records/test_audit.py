"""What users do with alerts is in a log, which a key may seal."""

from __future__ import annotations

from tests.simulated_clock import SimulatedClock
from tiepoint_adapters.clock import timestamp
from tiepoint_security.records.audit import audit_log
from tiepoint_security.records.database import Database


def test_lines_say_when_by_the_clock_and_hold_with_the_key_alone(
    database: Database, clock: SimulatedClock
) -> None:
    log = audit_log(database, clock, b"a secret")
    clock.pass_by(60)
    with database.writing() as session:
        log.note(session, "ada", "viewed", "alert 1", {"größe": 1})
    (line,) = log.lines()
    assert line["at"] == timestamp(clock.wall())
    assert line["details"] == {"größe": 1}
    assert log.verify().intact
    assert not audit_log(database, clock).verify().intact
