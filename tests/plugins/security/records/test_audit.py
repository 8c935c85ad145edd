"""The audit log shows what was done, and that nobody changed it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.simulated_clock import SimulatedClock
from tiepoint_adapters.audit.log import AuditLog
from tiepoint_security.records.audit import audit_log
from tiepoint_security.records.database import Database


@pytest.fixture
def log(database: Database, clock: SimulatedClock) -> AuditLog:
    log = audit_log(database, clock)
    for number in range(5):
        clock.pass_by(60)
        with database.writing() as session:
            log.note(session, "ada", "viewed", f"alert {number}", {"größe": number, "b": 1.5})
    return log


def change(database: Database, statement: str) -> None:
    with database.engine().connect() as connection:
        connection.execute(text(statement))
        connection.commit()


def test_log_that_nobody_touched_is_intact(log: AuditLog) -> None:
    found = log.verify()
    assert found.intact
    assert found.lines == 5
    assert found.head == log.lines()[-1]["hash"]


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE audit SET subject = 'another' WHERE number = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET number = 99 WHERE number = 5", 5),
    ],
)
def test_line_that_was_changed_or_removed_is_found(
    log: AuditLog, statement: str, line: int
) -> None:
    change(log.database, statement)
    found = log.verify()
    assert not found.intact
    assert found.broken_at == line


def test_lines_cut_off_at_the_end_show_against_a_noted_head(log: AuditLog) -> None:
    head = log.verify().head
    change(log.database, "DELETE FROM audit WHERE number = 5")
    assert log.verify().intact
    assert not log.verify(head).intact


def test_noted_head_stays_good_while_the_log_grows(log: AuditLog) -> None:
    head = log.verify().head
    with log.database.writing() as session:
        log.note(session, "bob", "exported", "alert 1")
    assert log.verify(head).intact


def test_log_with_a_key_cannot_be_made_anew_without_it(
    log: AuditLog, database: Database, clock: SimulatedClock
) -> None:
    assert not audit_log(database, clock, b"a secret").verify().intact


def test_lines_can_be_asked_for_by_subject_and_user(log: AuditLog) -> None:
    def numbers(**asked: Any) -> list[int]:
        return [line["number"] for line in log.lines(**asked)]

    assert numbers(subject="alert 3") == [4]
    assert numbers(user="nobody") == []
    assert numbers(most=2) == [4, 5]


def test_what_fails_is_not_noted(log: AuditLog) -> None:
    with pytest.raises(ZeroDivisionError):
        _note_and_fail(log)
    assert log.verify().lines == 5


def _note_and_fail(log: AuditLog) -> None:
    with log.database.writing() as session:
        log.note(session, "ada", "viewed", "x")
        raise ZeroDivisionError
