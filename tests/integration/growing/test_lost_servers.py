"""A served deployment whose servers go away and come back: clear answers, and nothing lost."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.conftest import Command
from tests.integration.growing.sites import Site, furnish
from tests.integration.growing.test_main_jobs import ITEMS, awaited, good
from tests.milvus_server import MilvusServer
from tests.postgresql import PostgreSQL
from tiepoint.cli.main import main
from tiepoint_recommendation.simulation.shop import Shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database() -> Iterator[PostgreSQL]:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgreSQL(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def lonely(
    tmp_path_factory: pytest.TempPathFactory,
    small_components: None,
    milvus: MilvusServer,
    database: PostgreSQL,
    shop: Shop,
) -> Iterator[Site]:
    """A deployment whose servers are its own, to be killed."""
    site = Site(tmp_path_factory.mktemp("lonely"), milvus.uri, database.url, "small")
    site.write()
    furnish(site, shop)
    reports = ["--reports", str(site.folder / "reports.csv")]
    assert main(["medical", "ingest", str(site.file), str(site.folder / "dicom"), *reports]) == 0
    with site.running():
        yield site


def plugins(client: httpx.Client) -> dict[str, str]:
    """Return the status of each plugin."""
    found = good(client.get("/v1/health"))["plugins"]
    return {name: one["status"] for name, one in found.items()}


def refused(answer: httpx.Response) -> str:
    """Check that an answer says in a line that a part is away; return the line."""
    assert answer.status_code == 503, answer.text
    problem = answer.json()
    assert "\n" not in problem["detail"].strip()
    assert problem["hint"]
    return str(problem["detail"])


def event(number: int, item: str) -> dict[str, Any]:
    told = {"user": "guest", "item": item, "kind": "click", "time_s": time.time() - number}
    return {"events": [told]}


def test_a_lost_database_costs_nothing_that_was_accepted(
    lonely: Site, database: PostgreSQL, shop: Shop, tiepoint_here: Command
) -> None:
    events, recommend = "/v1/recommendation/events", "/v1/recommendation/recommend"
    with lonely.client() as client:
        alert = awaited(lambda: good(client.get("/v1/security/alerts")))[0]["id"]
        note = {"note": "seen"}
        good(client.post(f"/v1/security/alerts/{alert}/acknowledge", json=note))
        assert good(client.post(events, json=event(1, shop.items[0].id)))["kept"] == 1
        good(client.post("/v1/medical/match", data={"text": "effusion", "keep": "true"}))

        database.stop()
        lost = event(2, shop.items[1].id)
        assert "events" in refused(client.post(events, json=lost))
        refused(client.get("/v1/security/alerts"))
        refused(client.post("/v1/medical/match", data={"text": "effusion", "keep": "true"}))
        away = {"security": "degraded", "medical": "degraded", "recommendation": "degraded"}
        awaited(lambda: plugins(client) == away)
        assert client.get("/ready").status_code == 200
        hits = client.post("/v1/search", json={"collection": "items", "text": "red"})
        assert hits.status_code == 200

        database.start()
        awaited(lambda: set(plugins(client).values()) == {"ok"})
        assert good(client.post(events, json=lost))["kept"] == 1
        assert good(client.post(events, json=lost))["repeated"] == 1
        told = good(client.get(f"/v1/security/alerts/{alert}"))
        assert told["acknowledged_by"]
        assert len(good(client.get("/v1/medical/worklist"))) == 1
        assert good(client.post(recommend, json={"user": "guest", "k": 5}))["known"]
        security = good(client.get("/v1/health"))["plugins"]["security"]
        assert security["desk"]["lost"] == 0
    whole = tiepoint_here("security", "audit", lonely.file, "--verify", "--json")
    assert json.loads(whole.stdout)["intact"]


def test_a_lost_milvus_is_told_and_found_again(lonely: Site, milvus: MilvusServer) -> None:
    def batch(first: int) -> dict[str, Any]:
        return {
            "items": [
                {"id": f"i{n}", "parts": {"text": f"a red thing {n}"}}
                for n in range(first, first + 50)
            ]
        }

    with lonely.client() as client:
        assert good(client.post(ITEMS, json=batch(0)))["added"] == 50
        answers: list[httpx.Response] = []

        def write() -> None:
            with lonely.client() as other:
                answers.extend(other.post(ITEMS, json=batch(first)) for first in range(50, 450, 50))

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.3)
        milvus.kill()
        time.sleep(1)
        milvus.start()
        writer.join()
        assert [good(answer)["added"] for answer in answers] == [50] * 8
        listed = good(client.get(ITEMS, params={"limit": 1000}))["items"]
        assert {one["id"] for one in listed} == {f"i{n}" for n in range(450)}

        milvus.kill()
        health = good(client.get("/v1/health"))
        assert health["store"]["status"] == "unreachable"
        assert health["collections"]["items"]["status"] == "degraded"
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200
        assert "cannot be reached" in refused(client.post(ITEMS, json=batch(450)))
        refused(client.post("/v1/search", json={"collection": "items", "text": "red"}))
        milvus.start()
        good(client.post(ITEMS, json=batch(450)))
        listed = good(client.get(ITEMS, params={"limit": 1000}))["items"]
        assert {one["id"] for one in listed} == {f"i{n}" for n in range(500)}
        awaited(lambda: good(client.get("/v1/health"))["store"]["status"] == "ok")
        awaited(lambda: client.get("/ready").status_code == 200)
