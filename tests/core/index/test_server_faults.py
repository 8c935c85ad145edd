"""A Milvus server that dies, comes back, is full, or is not what was expected."""

import threading
import time

import numpy as np
import pytest

from tests.milvus_server import MilvusServer
from tiepoint.config.store import ServerSection
from tiepoint.errors import FingerprintError, SchemaError, StoreError
from tiepoint.index.base import CollectionSchema, VectorField
from tiepoint.index.collection import Collection
from tiepoint.index.connection import Connection
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, assert_same_row, make_row, stored_rows


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    server = MilvusServer(tmp_path_factory.mktemp("peer"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(peer):
    """The server, running and empty."""
    if peer.process is None:
        peer.start()
    connection = Connection(peer.uri, server=ServerSection())
    for name in connection.call("list_collections"):
        connection.call("drop_collection", name)
    connection.close()
    return peer


def opened(server, folder, timeout_s=30.0):
    store = MilvusStore(server.uri, ServerSection(timeout_s=timeout_s))
    store.open()
    return store, Collection.open(store, SCHEMA, folder)


def test_a_write_waits_for_a_server_that_comes_back(server, tmp_path):
    store, collection = opened(server, tmp_path)
    collection.write([make_row("before")])
    server.kill()
    back = threading.Timer(1.0, server.start)
    back.start()
    collection.write([make_row("during", seed=1)])
    back.join()
    assert_same_row(stored_rows(store)["before"], make_row("before"))
    assert_same_row(stored_rows(store)["during"], make_row("during", seed=1))
    query = make_row("before").vectors["image"]
    assert collection.search_vector("image", query, 1, None, ()).ids == ["before"]
    assert store.health()["status"] == collection.health()["status"] == "ok"
    store.close()


def test_a_server_that_stays_away_is_one_clear_line_and_shows_in_health(server, tmp_path):
    store, collection = opened(server, tmp_path, timeout_s=4.0)
    collection.write([make_row("before")])
    server.kill()
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        collection.write([make_row("after")])
    assert "\n" not in str(caught.value)
    assert server.uri in str(caught.value)
    started = time.monotonic()
    health = store.health()
    assert health["status"] == "unreachable"
    assert health["problem"]["since"]
    degraded = collection.health()
    assert (degraded["status"], degraded["items"]) == ("degraded", None)
    assert time.monotonic() - started < 5
    with pytest.raises(StoreError, match="cannot be reached"):
        collection.search_vector("image", make_row("before").vectors["image"], 1, None, ())
    server.start()
    collection.write([make_row("after")])
    assert stored_rows(store).keys() == {"before", "after"}
    time.sleep(1.1)
    assert store.health()["status"] == collection.health()["status"] == "ok"
    store.close()


def test_nothing_acknowledged_is_lost_when_the_server_dies_in_the_middle_of_batches(
    server, tmp_path
):
    chance = np.random.default_rng(0)
    store, collection = opened(server, tmp_path)
    acknowledged = {}
    number = 0
    for _ in range(2):
        killer = threading.Timer(chance.uniform(0.02, 0.3), server.kill)
        killer.start()
        until = time.monotonic() + 0.6
        starter = threading.Timer(0.7, server.start)
        starter.start()
        while time.monotonic() < until:
            number += 1
            rows = [make_row(f"item {i}", seed=number) for i in range(number % 40, 90)]
            collection.write(rows)
            acknowledged |= {row.id: row for row in rows}
            if number % 5 == 0:
                collection.delete(["item 50", "item 51"])
                acknowledged.pop("item 50", None)
                acknowledged.pop("item 51", None)
        killer.join()
        starter.join()
    store.close()
    store, collection = opened(server, tmp_path)
    found = {item: row for item, row in stored_rows(store).items() if row is not None}
    assert found.keys() == acknowledged.keys()
    for item, row in acknowledged.items():
        assert_same_row(found[item], row)
    assert len(collection) == len(acknowledged)
    store.close()


def test_a_server_with_another_schema_is_one_clear_line(server):
    from pymilvus import MilvusClient

    client = MilvusClient(server.uri)
    client.create_collection("items", dimension=4)
    client.close()
    store = MilvusStore(server.uri)
    store.open()
    with pytest.raises(SchemaError, match="not made by tiepoint") as caught:
        store.create(SCHEMA)
    assert server.uri in str(caught.value)
    store.create(CollectionSchema("ours", (VectorField("image", 4, "encoder-1"),)))
    with pytest.raises(FingerprintError, match=r"encoder-1.*encoder-2"):
        store.create(CollectionSchema("ours", (VectorField("image", 4, "encoder-2"),)))
    with pytest.raises(SchemaError, match="vector fields"):
        store.create(CollectionSchema("ours", (VectorField("image", 5, "encoder-1"),)))
    assert list(store.collections()) == ["ours"]
    store.close()


def test_nobody_at_the_address_is_one_clear_line(tmp_path):
    store = MilvusStore(MilvusServer(tmp_path).uri)
    with pytest.raises(StoreError, match="cannot be reached"):
        store.open()


@pytest.mark.parametrize("index", ["hnsw", "ivf_sq8", "auto"])
def test_the_server_s_index_is_chosen(server, tmp_path, index):
    store = MilvusStore(server.uri, ServerSection(index=index))
    store.open()
    collection = Collection.open(store, SCHEMA, tmp_path)
    rows = [make_row(f"item {i}") for i in range(200)]
    collection.write(rows)
    query = rows[7].vectors["image"]
    assert collection.search_vector("image", query, 3, None, ()).ids[0] == "item 7"
    store.close()


def test_a_partition_key_keeps_rows_apart_and_every_item_must_have_it(server, tmp_path):
    from tiepoint.index.filters import Filter

    store = MilvusStore(server.uri, ServerSection(partition_key="colour"))
    store.open()
    collection = Collection.open(store, SCHEMA, tmp_path)
    rows = [make_row(f"item {i}") for i in range(30)]
    for i, row in enumerate(rows):
        row.metadata["colour"] = ["red", "green"][i % 2]
    collection.write(rows)
    where = Filter.parse('colour == "red"', SCHEMA.metadata)
    found = collection.search_vector("image", rows[4].vectors["image"], 30, where, ())
    assert set(found.ids) == {f"item {i}" for i in range(0, 30, 2)}
    moved = make_row("item 4")
    moved.metadata["colour"] = "green"
    collection.write([moved])
    assert len(collection) == 30
    assert collection.delete(["item 6"]) == 1
    assert len(collection) == 29
    with pytest.raises(SchemaError, match="partition key"):
        collection.write([make_row("none")])
    assert len(collection) == 29
    with pytest.raises(SchemaError, match="partition key"):
        store.create(CollectionSchema("other", (VectorField("image", 4, "e"),)))
    store.close()


@pytest.mark.parametrize("consistency", ["session", "bounded", "eventually"])
def test_weaker_consistency_is_taken_by_searches(server, tmp_path, consistency):
    store = MilvusStore(server.uri, ServerSection(consistency=consistency))
    store.open()
    collection = Collection.open(store, SCHEMA, tmp_path)
    collection.write([make_row("a")])
    assert collection.search_vector("image", make_row("a").vectors["image"], 1, None, ()).ids
    store.close()
