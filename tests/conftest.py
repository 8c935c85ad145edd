"""Every test session keeps what it compiles and encodes in a folder of its own."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import new_database, postgresql_server
from tiepoint import registry


@pytest.fixture(scope="session", autouse=True)
def interruptible_programs() -> Iterator[None]:
    """Let what tests start hear Ctrl-C, also where a shell began the tests in the background.

    Such a shell has them ignore SIGINT, and every process below would inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's cache out of the tests, and the tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEPOINT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def nothing_left_registered() -> Iterator[None]:
    """Let no file of tests leave a component behind that another one would trip over."""
    before = {group: registry.names(group) for group in registry.NOUNS}
    yield
    assert {group: registry.names(group) for group in registry.NOUNS} == before


@pytest.fixture(scope="session")
def running_postgresql() -> Iterator[str]:
    """Run a PostgreSQL server; skips where none is installed."""
    # Not below pytest's folders, which the server's own user may not enter.
    with tempfile.TemporaryDirectory() as folder, postgresql_server(Path(folder)) as url:
        Path(folder).chmod(0o700)
        yield url


@pytest.fixture(scope="module")
def postgresql(running_postgresql: str) -> str:
    """Return the URL of a database that is empty when a file of tests begins."""
    return new_database(running_postgresql)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--slow`, without which the tests marked `slow` are skipped."""
    parser.addoption("--slow", action="store_true", help="also run what needs more than a minute")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests marked `slow` unless they are asked for."""
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="needs more than a minute; use --slow"))
