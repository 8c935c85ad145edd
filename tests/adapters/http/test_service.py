"""The service answers searches, keeps items, shows plugins' routes, and lives in a parent."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from tests.adapters.http.conftest import ITEMS, deployment
from tiepoint import Host, registry
from tiepoint.errors import ConfigError, QueryError
from tiepoint.plugin import Plugin
from tiepoint_adapters.http.access import requires


def test_a_text_finds_its_item_first(serve):
    answer = serve().post("/v1/search", json={"text": "green", "k": 2})
    assert answer.status_code == 200
    assert answer.json()["hits"][0]["id"] == "leaf"


def test_an_item_is_kept_found_and_deleted(serve):
    client = serve()
    item = {"id": "a b/ü", "parts": {"text": "red red"}, "metadata": {"price": 2}}
    added = client.post("/v1/collections/items/items", json={"items": [item]})
    assert added.json()["added"] == 1
    kept = client.get("/v1/collections/items/items/a b/ü").json()
    assert kept == {"id": "a b/ü", "parts": {"text": "red red"}, "metadata": {"price": 2.0}}
    assert client.delete("/v1/collections/items/items/a b/ü").json() == {"deleted": 1}
    assert client.get("/v1/collections/items/items/a b/ü").status_code == 404


def test_an_error_says_what_where_and_what_to_do(serve):
    answer = serve().post("/v1/search", json={"text": "red", "where": "prize < 3"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "price" in answer.json()["hint"]


class Lamp(Plugin):
    name: ClassVar[str] = "lamp"
    version: ClassVar[str] = "1"
    api_version: ClassVar[int] = 1
    scopes: ClassVar[dict[str, str]] = {"burn": "Burn it."}

    def router(self) -> APIRouter:
        router = APIRouter()

        @router.get("/light")
        def light() -> dict[str, bool]:
            return {"on": True}

        @router.post("/burn", dependencies=[requires("lamp:burn")])
        def burn() -> None:
            raise QueryError("it does not burn", hint="Light it.")

        return router


@pytest.fixture
def lamp():
    undo = registry.register(registry.PLUGINS, "lamp", Lamp)
    yield
    undo()


def test_a_plugin_shows_its_routes_under_its_name(serve, lamp):
    client = serve(plugins={"lamp": {}})
    assert client.get("/v1/lamp/light").json() == {"on": True}
    assert client.post("/v1/lamp/burn").json()["hint"] == "Light it."
    assert "/v1/lamp/light" in client.get("/v1/openapi.json").json()["paths"]


def test_a_parent_application_mounts_it_in_three_lines(tmp_path):
    host = Host(deployment(tmp_path))
    parent = FastAPI(lifespan=host.lifespan)
    parent.mount("/tiepoint", host.asgi())
    here = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50000)}
    with TestClient(parent, **here) as client:
        host.add(ITEMS)
        found = client.post("/tiepoint/v1/search", json={"text": "blue", "k": 1}).json()
        assert found["hits"][0]["id"] == "sea/wave.jpg"


def test_it_refuses_to_listen_to_others_without_authentication(tmp_path):
    host = Host(deployment(tmp_path, server={"address": "192.0.2.1"}))
    with pytest.raises(ConfigError, match="tiepoint keys create"):
        host.server.serve()


def test_callers_that_wait_at_the_same_time_are_encoded_together(serve, monkeypatch):
    client, sizes, first = serve(), [], threading.Event()
    encode = Host.encode_texts

    def encode_slowly(host, texts, **options):
        sizes.append(len(texts))
        first.wait(20)
        return encode(host, texts, **options)

    monkeypatch.setattr(Host, "encode_texts", encode_slowly)
    with ThreadPoolExecutor(9) as callers:
        words = ["green", *["red", "blue"] * 4]
        asked = [callers.submit(client.post, "/v1/search", json={"text": one}) for one in words[:1]]
        while not sizes:
            time.sleep(0.01)
        asked += [
            callers.submit(client.post, "/v1/search", json={"text": one}) for one in words[1:]
        ]
        time.sleep(0.5)
        first.set()
        found = [one.result().json()["hits"][0]["id"] for one in asked]
    assert found == ["leaf", *["cherry", "sea/wave.jpg"] * 4]
    assert sizes[0] == 1
    assert len(sizes) < 5
