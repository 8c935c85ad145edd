"""Records in SQLite, and in a PostgreSQL where one is installed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.postgresql import postgresql_server
from tests.simulated_clock import SimulatedClock
from tiepoint_security.records.database import Database


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    # Not below pytest's folders, which the server's own user may not enter.
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder)) as url:
        Path(folder).chmod(0o700)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database.in_file(tmp_path / "alerts.sqlite3")
    else:
        database = Database(request.getfixturevalue("postgresql"))
        with database.engine().connect() as connection:
            tables = "alerts, evidence, reviews, audit, outbox, workers, camera_leases"
            connection.execute(text(f"TRUNCATE {tables}"))
            connection.commit()
    yield database
    database.close()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()
