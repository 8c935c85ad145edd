"""The same store contract against a Milvus server, by URI alone."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tiepoint.errors import SchemaError
from tiepoint.index.collection import Collection
from tiepoint.index.filters import Filter
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, StoreConformance, make_row

SERVER = """
import sys
from milvus_lite.adapter.grpc.server import start_server_in_thread
server, database, port = start_server_in_thread(sys.argv[1])
print(port, flush=True)
server.wait_for_termination()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path_factory.mktemp("server"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.wait()


def database(server, folder):
    """Return the URI of a database of this test's own."""
    from pymilvus import MilvusClient

    name = "d" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    client = MilvusClient(server)
    if name not in client.list_databases():
        client.create_database(name)
    client.close()
    return f"{server}/{name}"


class TestServerStore(StoreConformance):
    @pytest.fixture(autouse=True)
    def use_server(self, server):
        self.server = server

    def make_store(self, folder: Path) -> MilvusStore:
        return MilvusStore(database(self.server, folder))


def test_parts_beyond_the_limit_of_a_server_are_refused_before_writing(server, tmp_path):
    store = MilvusStore(database(server, tmp_path))
    store.open()
    store.create(SCHEMA)
    row = make_row("long")
    row.parts["text"] = "x" * 70_000
    with pytest.raises(SchemaError, match="a server keeps"):
        store.upsert(SCHEMA.name, [make_row("short"), row])
    assert store.count(SCHEMA.name) == 0
    store.close()


@pytest.fixture
def collection(server, tmp_path):
    store = MilvusStore(database(server, tmp_path))
    store.open()
    yield Collection.open(store, SCHEMA, tmp_path / "tier")
    store.close()


def test_searches_are_pushed_down_to_the_server(collection):
    rows = [make_row(f"item {i}", seed=i) for i in range(50)]
    rows[7].parts["text"] = "a red bicycle by the river"
    rows[9].parts["text"] = "河边 的 自行车"
    rows.append(make_row("no image", image=False))
    collection.write(rows)
    query = rows[7].vectors["image"]
    hits = collection.search_vector("image", query, 5, None, ())
    assert hits.ids[0] == "item 7"
    assert hits.scores[0] == pytest.approx(1.0, abs=1e-5)
    expected = sorted((float(row.vectors["image"] @ query) for row in rows[:50]), reverse=True)
    np.testing.assert_allclose(hits.scores, expected[:5], atol=1e-5)
    assert "item 7" not in collection.search_vector("image", query, 50, None, ["item 7"]).ids
    assert len(collection.search_vector("image", query, 100, None, ()).ids) == 50
    where = Filter.parse("count < 7", SCHEMA.metadata)
    found = collection.search_vector("image", query, 50, where, ()).ids
    assert set(found) == {f"item {i}" for i in range(7)}
    assert collection.search_text("text", "red bicycle", 3, None, ()).ids[0] == "item 7"
    assert collection.search_text("text", "自行车", 3, None, ()).ids[0] == "item 9"
    assert collection.search_text("text", "nonsense", 3, None, ()).ids == []


def test_a_server_collection_answers_about_items(collection):
    rows = [make_row("a", seed=1), make_row("b", seed=2, image=False)]
    collection.write(rows)
    assert len(collection) == 2
    assert collection.digests(["b", "absent", "a"]) == {"a": "a-1", "b": "b-2"}
    assert collection.payloads(["b"]) == [({"count": 2}, rows[1].parts)]
    assert collection.get(["a", "absent"]) == {"a": ({"count": 1}, rows[0].parts)}
    where = Filter.parse("count == 2", SCHEMA.metadata)
    assert collection.matches(where, ["a", "b"]).tolist() == [False, True]
    query = rows[0].vectors["image"]
    similarities = collection.similarities("image", query, ["b", "a"])
    assert np.isnan(similarities[0])
    assert similarities[1] == pytest.approx(1.0, abs=1e-5)
    mean, deviation = collection.background("image", query)
    assert (mean, deviation) == (pytest.approx(1.0, abs=1e-5), pytest.approx(0.0, abs=1e-5))
    assert collection.delete(["a", "absent"]) == 1
    assert len(collection) == 1
    assert collection.search_vector("image", query, 5, None, ()).ids == []
