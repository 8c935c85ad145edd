"""What the tests of several adapters share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgresql import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a new, empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.sqlite3'}"
    return new_database(request.getfixturevalue("running_postgresql"))
