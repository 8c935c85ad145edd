"""A plugin's database opens once, tells what is wrong, and lets its writers wait their turn."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.engine import Connection

from tiepoint.errors import ConfigError, StoreError
from tiepoint_adapters.databases import database

metadata = MetaData()
counters = Table("counters", metadata, Column("count", Integer, nullable=False))


class Database(database.Database):
    keeps = "counters"
    distribution = "tiepoint-counters"

    def prepare(self, connection: Connection) -> None:
        metadata.create_all(connection)
        if connection.scalar(select(counters.c.count)) is None:
            connection.execute(insert(counters).values(count=0))


def at_once(jobs: list[threading.Thread]) -> None:
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()


def test_many_may_open_a_new_database_at_once(url: str) -> None:
    databases = [Database(url) for _ in range(4)]
    at_once([threading.Thread(target=one.engine) for one in databases])
    with databases[0].reading() as session:
        assert session.execute(select(counters)).all() == [(0,)]
    for one in databases:
        one.close()


def test_what_is_done_alone_is_not_done_twice_at_once(url: str) -> None:
    def count(database: Database) -> None:
        for _ in range(25):
            with database.writing() as session:
                database.alone(session, "count")
                known = session.scalar(select(counters.c.count))
                session.execute(update(counters).values(count=known + 1))
        database.close()

    at_once([threading.Thread(target=count, args=(Database(url),)) for _ in range(4)])
    with Database(url).reading() as session:
        assert session.scalar(select(counters.c.count)) == 100


def test_what_fails_is_not_written(url: str) -> None:
    database = Database(url)
    with pytest.raises(ZeroDivisionError), database.writing() as session:
        session.execute(update(counters).values(count=1 // 0))
    with pytest.raises(StoreError, match="the database of counters"):
        _write_and_fail(database)
    with database.reading() as session:
        assert session.scalar(select(counters.c.count)) == 0
    database.close()


def _write_and_fail(database: Database) -> None:
    with database.writing() as session:
        session.execute(update(counters).values(count=9))
        session.execute(text("nonsense"))


def test_closed_database_opens_again(url: str) -> None:
    database = Database(url)
    database.close()
    with database.reading() as session:
        assert session.scalar(select(counters.c.count)) == 0
    database.close()


def test_what_was_deleted_is_overwritten(tmp_path: Path) -> None:
    database = Database.in_file(tmp_path / "a.sqlite3")
    with database.writing() as session:
        session.execute(text("CREATE TABLE words (word TEXT)"))
        session.execute(text("INSERT INTO words VALUES ('unmistakable')"))
    with database.writing() as session:
        session.execute(text("DELETE FROM words"))
    database.erase_traces()
    assert all(b"unmistakable" not in file.read_bytes() for file in tmp_path.iterdir())
    database.close()


def test_database_is_the_file_where_there_is_no_url(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite3"
    assert Database.at(None, file).where == Database.in_file(file).where
    assert not Database.at(None, file).exists
    elsewhere = Database.at("postgresql://user:hunter2@host/name", file)
    assert elsewhere.where == "postgresql+psycopg://user:***@host/name"
    assert elsewhere.exists


def test_database_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = Database.in_file(tmp_path / "a.sqlite3")
    database.engine()
    database.close()
    assert (tmp_path / "a.sqlite3").stat().st_mode & 0o077 == 0


def test_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite3").write_text("something else" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Database.in_file(tmp_path / "a.sqlite3").engine()


def test_server_that_is_away_is_an_error_without_its_password() -> None:
    database = Database("postgresql://user:hunter2@127.0.0.1:1/name")
    with pytest.raises(StoreError) as caught, database.reading() as session:
        session.execute(text("SELECT 1"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "sqlite://", "postgresql://host"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Database(url)


def test_what_was_written_outlives_a_visit_of_another_process(tmp_path: Path) -> None:
    """A file opened twice in a process keeps its lock; else the visitor would remove its log."""
    file = tmp_path / "counters.db"
    first, second = Database.in_file(file), Database.in_file(file)
    first.engine()
    second.engine()
    second.close()
    visit = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
    visit += " c.execute('SELECT * FROM counters').fetchall(); c.close()"
    subprocess.run([sys.executable, "-c", visit, str(file)], check=True)
    with first.writing() as session:
        session.execute(update(counters).values(count=7))
    with sqlite3.connect(file) as rows:
        assert rows.execute("SELECT count FROM counters").fetchall() == [(7,)]
    first.close()
