"""Records in SQLite, and in a PostgreSQL where one is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.simulated_clock import SimulatedClock
from tiepoint_security.records.database import Database


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
