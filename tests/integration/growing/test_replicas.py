"""Two replicas of a service on one Milvus server and one PostgreSQL, and what they share."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters.http.processes import Served, serving
from tests.milvus_server import MilvusServer
from tests.ports import free_port
from tests.postgresql import new_database
from tiepoint_adapters.http.keys import KeyFile

ITEMS = "/v1/collections/items/items"
DEPLOYMENT = """
version: 1
store: {uri: "%(store)s", server: {timeout_s: 15}}
collections:
  items:
    fields:
      text: {words: true}
      shape: {dimensions: 8}
    metadata: {price: float}
sources:
  lines: {type: table, path: %(folder)s/lines.csv, collection: items}
server: {port: %(port)d, state: %(folder)s/%(name)s, database: "%(database)s", drain_s: 10}
auth: {keys: %(folder)s/keys.json}
"""


class Replicas:
    """The replicas `a` and `b`, each with a folder and a port of its own."""

    def __init__(self, folder: Path, store: str, database: str) -> None:
        _, self.key = KeyFile(folder / "keys.json").create("front-desk", ["*"])
        self.files = {}
        self.served: dict[str, Served] = {}
        self._lives: dict[str, ExitStack] = {}
        for name in ("a", "b"):
            said = {"folder": folder, "store": store, "database": database, "name": name}
            self.files[name] = folder / f"{name}.yaml"
            self.files[name].write_text(DEPLOYMENT % {**said, "port": free_port()})
            self.start(name)

    def start(self, name: str) -> None:
        self._lives[name] = ExitStack()
        self.served[name] = self._lives[name].enter_context(serving(self.files[name]))

    def kill(self, name: str) -> None:
        """End it as `kill -9` does."""
        self._lives[name].close()

    def stop(self, name: str) -> int:
        """End it as a rolling restart does; returns its exit code."""
        self.served[name].process.send_signal(signal.SIGTERM)
        code = self.served[name].process.wait(30)
        self._lives[name].close()
        return code

    def client(self, name: str) -> httpx.Client:
        return self.served[name].client(headers={"authorization": f"Bearer {self.key}"})

    def close(self) -> None:
        for life in self._lives.values():
            life.close()


class Callers:
    """Clients that search and write without a pause, and turn to the other replica at a failure.

    Each write carries an idempotency key; `written` are the ids that were acknowledged.
    """

    def __init__(self, replicas: Replicas, number: int) -> None:
        self.written: list[str] = []
        self.searched = self.turned = 0
        self.failures: list[str] = []
        self._replicas = replicas
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(number)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _call(self, caller: int) -> None:
        urls = [served.url for served in self._replicas.served.values()]
        names = itertools.cycle(urls if caller % 2 else urls[::-1])
        clients = {url: httpx.Client(base_url=url, timeout=20) for url in urls}
        for number in itertools.count():
            if self._ending.is_set():
                break
            id_ = f"{caller}-{number}"
            item = {"id": id_, "parts": {"text": f"thing {id_}"}, "metadata": {"price": 1.0}}
            writing = (ITEMS, {"items": [item]}, {"idempotency-key": id_})
            if self._sent(clients, names, *writing):
                self.written.append(id_)
            if self._sent(clients, names, "/v1/search", {"text": f"thing {id_}", "k": 3}, {}):
                self.searched += 1
        for client in clients.values():
            client.close()

    def _sent(self, clients: Any, names: Iterator[str], path: str, body: Any, more: Any) -> bool:
        headers = {"authorization": f"Bearer {self._replicas.key}", **more}
        until, said = time.monotonic() + 30, ""
        while time.monotonic() < until:
            try:
                answer = clients[next(names)].post(path, json=body, headers=headers)
            except httpx.TransportError as error:
                said = repr(error)
            else:
                if answer.status_code == 200:
                    return True
                said = answer.text
                if answer.status_code not in (429, 503):
                    break
            self.turned += 1
            time.sleep(0.05)
        self.failures.append(said)
        return False


@pytest.fixture(scope="module")
def replicas(
    tmp_path_factory: pytest.TempPathFactory, milvus: MilvusServer, running_postgresql: str
) -> Iterator[Replicas]:
    folder = tmp_path_factory.mktemp("replicas")
    lines = "".join(f"line-{number},something in line {number},2.0\n" for number in range(6000))
    (folder / "lines.csv").write_text("id,text,price\n" + lines)
    from pymilvus import MilvusClient

    database = new_database(running_postgresql)
    name = database.rpartition("/")[2]
    client = MilvusClient(milvus.uri, timeout=60)
    client.create_database(name)
    client.close()
    replicas = Replicas(folder, f"{milvus.uri}/{name}", database)
    yield replicas
    replicas.close()


def test_who_signed_in_at_one_is_known_to_the_other_until_signing_out(replicas: Replicas) -> None:
    with replicas.served["a"].client() as a, replicas.served["b"].client() as b:
        signed = a.post("/v1/signin", json={"key": replicas.key})
        assert signed.status_code == 200
        b.cookies = a.cookies
        assert b.get("/v1/me").json()["name"] == "key:front-desk"
        csrf = {"x-csrf-token": signed.json()["csrf"]}
        assert b.post("/v1/signout", headers=csrf).status_code < 300
        assert a.get("/v1/jobs").status_code == 401
    with replicas.client("a") as a, replicas.client("b") as b:
        entries = [client.get("/v1/audit").json() for client in (a, b)]
        assert entries[0] == entries[1]
        assert entries[0]["broken"] is None


def test_a_repeated_request_is_done_once_whichever_replica_it_reaches(replicas: Replicas) -> None:
    item = {"id": "once", "parts": {"text": "done once"}, "metadata": {}}
    asked = {"json": {"items": [item]}, "headers": {"idempotency-key": "once"}}
    with replicas.client("a") as a, replicas.client("b") as b:
        first = a.post(ITEMS, **asked)
        again = b.post(ITEMS, **asked)
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"


def test_what_one_replica_wrote_and_deleted_the_other_finds_and_lists(replicas: Replicas) -> None:
    with replicas.client("a") as a, replicas.client("b") as b:
        for there, here in ((a, b), (b, a), (a, b)):
            items = [{"id": "seen", "parts": {"text": "seen elsewhere"}, "metadata": {}}]
            assert there.post(ITEMS, json={"items": items}).status_code == 200
            hits = here.post("/v1/search", json={"text": "elsewhere", "k": 1}).json()["hits"]
            assert [hit["id"] for hit in hits] == ["seen"]
            assert "seen" in {item["id"] for item in here.get(ITEMS).json()["items"]}
            assert there.delete(f"{ITEMS}/seen").json() == {"deleted": 1}
            assert "seen" not in {item["id"] for item in here.get(ITEMS).json()["items"]}


@pytest.mark.slow
def test_a_rolling_restart_fails_no_request(replicas: Replicas) -> None:
    with Callers(replicas, 4) as callers:
        for name in ("a", "b"):
            time.sleep(2)
            assert replicas.stop(name) == 0
            time.sleep(1)
            replicas.start(name)
        time.sleep(2)
    assert callers.failures == []
    require_kept(replicas, callers)


@pytest.mark.slow
def test_a_killed_replica_fails_no_request_and_its_job_is_done_by_the_other(
    replicas: Replicas,
) -> None:
    with Callers(replicas, 4) as callers, replicas.client("b") as b:
        with replicas.client("a") as a:
            job = a.post("/v1/jobs", json={"kind": "index"}).json()["id"]
            while not b.get(f"/v1/jobs/{job}").json()["done"]:
                time.sleep(0.05)
        replicas.kill("a")
        until = time.monotonic() + 120
        while (found := b.get(f"/v1/jobs/{job}").json())["ended"] is None:
            assert time.monotonic() < until, found
            time.sleep(0.5)
        assert found["status"] == "done", found
        replicas.start("a")
        time.sleep(1)
    assert callers.failures == []
    require_kept(replicas, callers)
    with replicas.client("a") as a:
        assert a.get(f"{ITEMS}/line-5999").status_code == 200


def require_kept(replicas: Replicas, callers: Callers) -> None:
    """Check that both replicas have and list everything that was acknowledged."""
    assert len(callers.written) > 20
    for name in ("a", "b"):
        with replicas.client(name) as client:
            listed: set[str] = set()
            after = None
            while True:
                asked = {"limit": 1000} | ({"after": after} if after else {})
                page = client.get(ITEMS, params=asked).json()
                listed |= {item["id"] for item in page["items"]}
                after = page["next"]
                if after is None:
                    break
            assert set(callers.written) <= listed, name
