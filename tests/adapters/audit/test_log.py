"""The audit log shows what was done, and that nobody changed it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.adapters.audit.notebook import Notebook, log_of
from tiepoint_adapters.audit.log import AuditLog


@pytest.fixture
def notebook(url: str) -> Iterator[Notebook]:
    notebook = Notebook(url)
    yield notebook
    notebook.close()


@pytest.fixture
def log(notebook: Notebook) -> AuditLog:
    log = log_of(notebook)
    for number in range(5):
        with notebook.writing() as session:
            log.note(session, "ada", "viewed", f"alert {number}", {"größe": number, "b": 1.5})
    return log


def change(notebook: Notebook, *statements: str) -> None:
    with notebook.writing() as session:
        for statement in statements:
            session.execute(text(statement))


def test_log_that_nobody_touched_is_intact(log: AuditLog) -> None:
    found = log.verify()
    assert found.intact
    assert found.lines == 5
    assert found.head == log.lines()[-1]["hash"]


@pytest.mark.parametrize(
    ("statements", "line"),
    [
        (["UPDATE notes SET subject = 'another' WHERE number = 3"], 3),
        (["UPDATE notes SET details = '{}' WHERE number = 2"], 2),
        (["DELETE FROM notes WHERE number = 2"], 2),
        (["DELETE FROM notes WHERE number = 1"], 1),
        (["UPDATE notes SET number = 99 WHERE number = 5"], 5),
        (
            [
                "UPDATE notes SET number = 99 WHERE number = 3",
                "UPDATE notes SET number = 3 WHERE number = 4",
                "UPDATE notes SET number = 4 WHERE number = 99",
            ],
            3,
        ),
        (
            [
                "DELETE FROM notes WHERE number = 2",
                "UPDATE notes SET number = number - 1 WHERE number = 3",
                "UPDATE notes SET number = number - 1 WHERE number = 4",
                "UPDATE notes SET number = number - 1 WHERE number = 5",
            ],
            2,
        ),
    ],
    ids=["subject", "details", "second gone", "first gone", "number", "reordered", "closed up"],
)
def test_line_that_was_changed_removed_or_moved_is_found(
    log: AuditLog, notebook: Notebook, statements: list[str], line: int
) -> None:
    change(notebook, *statements)
    found = log.verify()
    assert not found.intact
    assert found.broken_at == line


def test_lines_cut_off_at_the_end_show_against_a_noted_head(
    log: AuditLog, notebook: Notebook
) -> None:
    head = log.verify().head
    change(notebook, "DELETE FROM notes WHERE number = 5")
    assert log.verify().intact
    assert not log.verify(head).intact


def test_noted_head_stays_good_while_the_log_grows(log: AuditLog, notebook: Notebook) -> None:
    head = log.verify().head
    with notebook.writing() as session:
        log.note(session, "bob", "exported", "alert 1")
    assert log.verify(head).intact


def test_log_with_a_key_cannot_be_made_anew_without_it(log: AuditLog, notebook: Notebook) -> None:
    assert not log_of(notebook, b"a secret").verify().intact


def test_lines_can_be_asked_for_by_subject_and_user(log: AuditLog) -> None:
    def numbers(**asked: Any) -> list[int]:
        return [line["number"] for line in log.lines(**asked)]

    assert numbers(subject="alert 3") == [4]
    assert numbers(user="nobody") == []
    assert numbers(most=2) == [4, 5]


def test_what_fails_is_not_noted(log: AuditLog, notebook: Notebook) -> None:
    with pytest.raises(ZeroDivisionError), notebook.writing() as session:
        log.note(session, "ada", "viewed", str(1 // len(log.lines("nothing"))))
    assert log.verify().lines == 5


def test_several_processes_write_one_chain(notebook: Notebook, url: str) -> None:
    notebook.engine()
    program = [sys.executable, "-m", "tests.adapters.audit.notebook", url, "20"]
    root = Path(__file__).parents[3]
    writers = [subprocess.Popen(program, cwd=root) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = log_of(notebook).verify()
    assert found.intact
    assert found.lines == 60
