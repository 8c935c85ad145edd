"""A served host with small real encoders, asked in this process over ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.small_encoders import COLOUR_COMPONENTS, colour_deployment, registered
from tiepoint import Host, Item
from tiepoint.config.models import Deployment

ITEMS = [
    Item(id="cherry", text="a red cherry", metadata={"price": 3.0, "shelf": "fruit"}),
    Item(id="leaf", text="a green leaf", metadata={"price": 1.0, "shelf": "garden"}),
    Item(id="sea/wave.jpg", text="the blue sea", metadata={"price": 9.0, "shelf": "travel"}),
]

Serving = Callable[..., TestClient]


@pytest.fixture(scope="module", autouse=True)
def _small_components() -> Iterator[None]:
    with registered(*COLOUR_COMPONENTS):
        yield


def deployment(folder: Path, **changes: Any) -> Deployment:
    metadata = {"price": "float", "shelf": "string", "tags": "strings"}
    return colour_deployment(folder / "store", metadata, **changes)


@contextmanager
def served(host: Host, **options: Any) -> Iterator[TestClient]:
    """Run a host's service; its life is that of a parent application."""
    life, service = Starlette(lifespan=host.lifespan), host.asgi()

    async def parent(scope, receive, send) -> None:
        await (life if scope["type"] == "lifespan" else service)(scope, receive, send)

    options = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50000), **options}
    with TestClient(parent, **options) as client:
        yield client


@pytest.fixture
def serve(tmp_path) -> Iterator[Serving]:
    """Return what serves a deployment with these changes, filled with three items."""
    with ExitStack() as running:

        def start(items: list[Item] = ITEMS, **changes: Any) -> TestClient:
            host = Host(deployment(tmp_path, **changes))
            client = running.enter_context(served(host))
            if items:
                host.add(items)
            return client

        yield start
