"""The main job of each application, by the API: the same in one folder and on servers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.integration.conftest import Command
from tests.integration.growing.sites import Site, pictures_by_colour
from tiepoint_recommendation.simulation.shop import Shop

ITEMS = "/v1/collections/items/items"


def awaited(ask: Callable[[], Any], timeout_s: float = 90.0) -> Any:
    """Ask until there is an answer, and return it."""
    ends = time.monotonic() + timeout_s
    while not (answer := ask()):
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.1)
    return answer


def good(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def ids(client: httpx.Client, **question: Any) -> list[str]:
    body = {"collection": "items", **question}
    return [hit["id"] for hit in good(client.post("/v1/search", json=body))["hits"]]


def test_items_are_found_by_words_pictures_and_filters(site: Site) -> None:
    pictures = {name: base64.b64encode(one).decode() for name, one in pictures_by_colour().items()}
    items = [
        {
            "id": f"{name}-{number}",
            "parts": {"image": {"base64": picture}, "text": f"a {name} thing, number {number}"},
            "metadata": {"price": float(number), "tags": [name]},
        }
        for name, picture in pictures.items()
        for number in range(1, 21)
    ]
    with site.client() as client:
        assert good(client.post(ITEMS, json={"items": items}))["added"] == 60
        assert good(client.post(ITEMS, json={"items": items}))["unchanged"] == 60
        assert all(one.startswith("green") for one in ids(client, text="a green thing", k=15))
        assert ids(client, text="a green thing", where="price < 2", k=1) == ["green-1"]
        found = ids(client, image={"base64": pictures["blue"]}, where='tags contains "blue"', k=20)
        assert len(set(found)) == 20
        assert good(client.delete(f"{ITEMS}/green-1")) == {"deleted": 1}
        assert "green-1" not in ids(client, text="a green thing", where="price < 2", k=3)
        assert client.get(f"{ITEMS}/green-1").status_code == 404
        assert len(good(client.get(ITEMS, params={"limit": 100}))["items"]) == 59
        wrong = {"collection": "items", "text": "x", "where": "prize < 2"}
        assert client.post("/v1/search", json=wrong).status_code == 422


def test_a_source_is_indexed_by_a_job(site: Site) -> None:
    with site.client() as client:
        body = {"kind": "index", "parameters": {"sources": ["pictures"]}}
        job = good(client.post("/v1/jobs", json=body))["id"]

        def ended() -> Any:
            found = good(client.get(f"/v1/jobs/{job}"))
            return found["ended"] and found

        done = awaited(ended)
        assert done["status"] == "done"
        assert done["result"]["sources"][0]["added"] == 3
        assert good(client.get(f"{ITEMS}/red.png"))["id"] == "red.png"
    site.noted["job"] = job


def test_an_alert_comes_in_with_evidence_and_is_acknowledged(site: Site) -> None:
    with site.client() as client:

        def alerts() -> Any:  # one for both cameras, if the square went from one to the other
            return good(client.get("/v1/security/alerts", params={"rule": "inside"}))

        alert = awaited(alerts)[-1]["id"]

        def kept() -> Any:
            evidence = good(client.get(f"/v1/security/alerts/{alert}/evidence"))
            return {"snapshot", "clip"} <= evidence.keys() and evidence

        evidence = awaited(kept)
        clip = client.get(f"/v1/security/alerts/{alert}/evidence/clip")
        assert len(clip.content) == evidence["clip"]["bytes"]
        taken = client.post(f"/v1/security/alerts/{alert}/acknowledge", json={"note": "on my way"})
        assert good(taken) == {"first": True}
        judged = {"verdict": "false_alarm", "note": "a cat"}
        good(client.post(f"/v1/security/alerts/{alert}/judge", json=judged))
        told = good(client.get(f"/v1/security/alerts/{alert}"))
        assert told["acknowledged_by"]
        assert told["reviews"][0]["verdict"] == "false_alarm"
        assert client.get("/v1/security/alerts/none").status_code == 404
    site.noted["alert"] = alert


def test_footage_is_found_by_words(site: Site) -> None:
    with site.client() as client:

        def cameras(words: str) -> Any:
            body = {"collection": "footage", "text": words, "k": 3, "where": 'camera != "none"'}
            return [
                hit["metadata"]["camera"]
                for hit in good(client.post("/v1/search", json=body))["hits"]
            ]

        awaited(
            lambda: {"red", "green"} <= {*cameras("a wall"), *cameras("green"), *cameras("red")}
        )
        assert cameras("a green wall")[0] == "green"
        assert cameras("a red wall")[0] == "red"


def test_a_case_is_matched_drafted_and_read(site: Site) -> None:
    with site.client() as client:
        form = {"text": "Pleural effusion on the left.", "draft": "true", "keep": "true", "k": "4"}
        found = good(client.post("/v1/medical/match", data=form))
        hits = found["match"]["hits"]
        assert "pleural_effusion" in hits[0]["supports"]
        assert any("pleural_effusion" in hit["contradicts"] for hit in hits)
        cases = {hit["case"]: hit["report"] for hit in hits}
        for sentence in found["draft"]["sentences"]:
            assert sentence["text"] in cases[sentence["case"]]
        image = (site.folder / "dicom" / "CT_small.dcm").read_bytes()
        by_image = good(client.post("/v1/medical/match", data={"k": "3"}, files={"image": image}))
        assert by_image["match"]["hits"]
        [waiting] = good(client.get("/v1/medical/worklist"))
        assert good(client.post(f"/v1/medical/worklist/{waiting['id']}/read"))["hits"]
        assert good(client.get("/v1/medical/worklist")) == []
    site.noted["match"] = waiting["id"]


def test_events_change_the_next_answer(site: Site, shop: Shop) -> None:
    lamp = next(item for item in shop.items if item.kind == "lamp")
    with site.client() as client:

        def answer() -> list[str]:
            found = good(client.post("/v1/recommendation/recommend", json={"user": "new", "k": 10}))
            return [one["id"] for one in found["items"]]

        before = answer()
        event = {"user": "new", "item": lamp.id, "kind": "cart", "time_s": time.time()}
        told = good(client.post("/v1/recommendation/events", json={"events": [event]}))
        assert told["kept"] == 1
        again = good(client.post("/v1/recommendation/events", json={"events": [event]}))
        assert again["repeated"] == 1
        after = answer()
        assert after != before
        assert lamp.id not in after
        rule = {"name": "recall", "action": "exclude", "select": {"items": [after[0]]}}
        assert good(client.post("/v1/recommendation/rules", json=rule))["number"] == 1
        assert after[0] not in answer()
        assert good(client.get(f"/v1/recommendation/similar/{lamp.id}"))["items"]


def test_its_parts_are_well(site: Site) -> None:
    with site.client() as client:

        def well() -> bool:  # a camera on a machine with much to do may be late for a moment
            health = good(client.get("/v1/health"))
            plugins = {one["status"] for one in health["plugins"].values()}
            return health["store"]["status"] == "ok" and plugins == {"ok"}

        awaited(well)


def test_all_of_it_is_there_after_a_kill(site: Site) -> None:
    with site.client() as client:
        before = _kept(site, client)
    site.restart()
    with site.client() as client:
        assert _kept(site, client) == before
        assert good(client.get("/v1/health"))["store"]["status"] == "ok"


def test_a_backup_brings_all_of_it_back_elsewhere(
    site: Site, new_site: Site, tiepoint_here: Command
) -> None:
    with site.client() as client:
        before = _kept(site, client)
    done = tiepoint_here("backup", site.file, site.folder / "backup", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["collections"]["items"] == before["items"]
    restored = tiepoint_here("restore", new_site.file, site.folder / "backup", "--json")
    assert restored.returncode == 0, restored.stderr
    again = tiepoint_here("restore", new_site.file, site.folder / "backup")
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    upgraded = tiepoint_here("upgrade", new_site.file, "--json")
    assert upgraded.returncode == 0, upgraded.stderr
    assert json.loads(upgraded.stdout)["plugins"]["security"] == []
    with new_site.running(), new_site.client() as client:
        assert _kept(site, client) == before


def test_a_backup_is_not_put_where_half_of_it_would_be_lost(
    site: Site, new_site: Site, tiepoint_here: Command
) -> None:
    new_site.database = None if site.database else "postgresql://nobody@127.0.0.1:9/none"
    new_site.write()
    refused = tiepoint_here("restore", new_site.file, site.folder / "backup")
    assert refused.returncode == 2
    assert "keep the records of medical, recommendation, security differently" in refused.stderr


def _kept(site: Site, client: httpx.Client) -> dict[str, Any]:
    """Return what each application has kept of what the tests before have done."""
    alert = good(client.get(f"/v1/security/alerts/{site.noted['alert']}"))
    match = {"text": "Pleural effusion on the left.", "k": "4"}
    answer = client.post("/v1/recommendation/recommend", json={"user": "new", "k": 10})
    collections = {one["name"]: one["items"] for one in good(client.get("/v1/collections"))}
    listed = good(client.get(ITEMS, params={"limit": 1000}))["items"]
    return {
        "items": collections["items"],
        "listed": {one["id"]: one["metadata"] for one in listed},
        "cases": collections["cases"],
        "found": ids(client, text="a green thing", where="price < 4", k=3),
        "job": good(client.get(f"/v1/jobs/{site.noted['job']}"))["result"],
        "alert": (alert["acknowledged_by"], alert["reviews"]),
        "evidence": good(client.get(f"/v1/security/alerts/{alert['id']}/evidence")),
        "matched": [
            hit["case"]
            for hit in good(client.post("/v1/medical/match", data=match))["match"]["hits"]
        ],
        "read": [one["id"] for one in good(client.get("/v1/medical/worklist?unread=false"))],
        "recommended": [one["id"] for one in good(answer)["items"]],
        "rules": good(client.get("/v1/recommendation/rules")),
    }
