"""Long work: progress, cancelling, and going on after an end."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import pytest

from tests.adapters.http.conftest import deployment, served
from tiepoint import Host, registry
from tiepoint.plugin import JobKind, Plugin


def ended(client, job, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = client.get(f"/v1/jobs/{job}").json()
        if found["ended"] is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"the job goes on: {found}")


@pytest.fixture
def pictures(tmp_path):
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for colour in ("red", "green", "blue"):
        Image.new("RGB", (8, 8), colour).save(folder / f"{colour}.png")
    return folder


def test_sources_are_indexed_by_a_job(serve, pictures):
    client = serve(items=[], sources={"pictures": {"type": "folder", "path": pictures}})
    answer = client.post("/v1/jobs", json={"kind": "index"})
    assert answer.status_code == 202
    job = ended(client, answer.json()["id"])
    assert job["status"] == "done"
    assert job["result"]["sources"][0]["added"] == 3
    assert client.get("/v1/jobs").json()[0]["id"] == job["id"]


def test_a_job_that_cannot_be_is_refused(serve):
    client = serve()
    assert client.post("/v1/jobs", json={"kind": "nonsense"}).status_code == 404
    wrong = {"kind": "index", "parameters": {"sources": ["absent"]}}
    assert client.post("/v1/jobs", json=wrong).status_code == 422
    assert client.get("/v1/jobs/absent").status_code == 404


def test_indexing_is_refused_where_there_is_no_source(serve):
    answer = serve().post("/v1/jobs", json={"kind": "index"})
    assert answer.status_code == 422
    assert "no source" in answer.json()["detail"]


class Counting(Plugin):
    name: ClassVar[str] = "counting"
    version: ClassVar[str] = "1"
    api_version: ClassVar[int] = 1
    going_on: ClassVar[threading.Event] = threading.Event()
    started: ClassVar[list[int]] = []

    def jobs(self):
        return {"count": JobKind("Count.", self.count), "fail": JobKind("Fail.", self.fail)}

    def count(self, parameters, task):
        self.started.append(1)
        for number in range(parameters["to"]):
            task.progress(number, parameters["to"])
            self.going_on.wait(0.02)
        return {"counted": parameters["to"]}

    def fail(self, parameters, task):
        raise RuntimeError("broken")


@pytest.fixture
def counting():
    Counting.going_on.clear()
    Counting.started.clear()
    undo = registry.register(registry.PLUGINS, "counting", Counting)
    yield
    undo()


def test_a_job_of_a_plugin_shows_progress_and_can_be_cancelled(serve, counting):
    client = serve(plugins={"counting": {}})
    body = {"kind": "counting:count", "parameters": {"to": 10_000}}
    job = client.post("/v1/jobs", json=body).json()["id"]
    waiting = client.post("/v1/jobs", json=body).json()["id"]
    until = time.monotonic() + 10
    while not client.get(f"/v1/jobs/{job}").json()["done"] and time.monotonic() < until:
        time.sleep(0.05)
    assert client.get(f"/v1/jobs/{job}").json()["total"] == 10_000
    for one in (waiting, job):
        assert client.delete(f"/v1/jobs/{one}").status_code == 202
        assert ended(client, one)["status"] == "cancelled"
    assert client.delete(f"/v1/jobs/{job}").status_code == 409


def test_a_job_that_fails_says_why_and_the_next_one_is_done(serve, counting):
    client = serve(plugins={"counting": {}})
    failing = client.post("/v1/jobs", json={"kind": "counting:fail"}).json()["id"]
    job = ended(client, failing)
    assert (job["status"], job["error"]) == ("failed", "RuntimeError: broken")
    body = {"kind": "counting:count", "parameters": {"to": 1}}
    assert ended(client, client.post("/v1/jobs", json=body).json()["id"])["status"] == "done"


def test_a_job_that_was_accepted_is_done_after_a_restart(tmp_path, counting):
    changes = {"plugins": {"counting": {}}}
    with served(Host(deployment(tmp_path, **changes))) as client:
        body = {"kind": "counting:count", "parameters": {"to": 1000}}
        job = client.post("/v1/jobs", json=body).json()["id"]
        while not Counting.started:
            time.sleep(0.01)
    Counting.going_on.set()
    with served(Host(deployment(tmp_path, **changes))) as client:
        assert ended(client, job)["result"] == {"counted": 1000}
    assert len(Counting.started) == 2
