"""One shop for all tests: filled once, and copied for each test that changes it."""

from __future__ import annotations

import pytest

from tests.plugins.recommendation.shops import copied, fill, service_of
from tiepoint_recommendation.simulation.shop import Shop, simulate


@pytest.fixture(scope="session")
def shop() -> Shop:
    return simulate(users=120, items=144, days=60, seed=3)


@pytest.fixture(scope="session")
def filled(shop, tmp_path_factory):
    store = tmp_path_factory.mktemp("shop") / "store"
    fill(shop, store)
    return store


@pytest.fixture
def store(filled, tmp_path):
    return copied(filled, tmp_path / "store")


@pytest.fixture
def open_service(store):
    """Open services on the test's own copy of the store; they are closed at the end."""
    opened = []

    def open_(**live):
        service = service_of(store, **live)
        service.open()
        opened.append(service)
        return service

    yield open_
    for service in opened:
        service.stop()


@pytest.fixture
def service(open_service):
    return open_service()
