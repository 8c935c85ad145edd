"""A collection: the store and its tier in step, refusals before anything is written."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from tiepoint.errors import SchemaError, StoreError
from tiepoint.index.base import CollectionSchema, VectorField
from tiepoint.index.collection import Collection
from tiepoint.index.filters import Filter
from tiepoint.index.milvus import MilvusStore
from tiepoint.index.validation import validate_schema
from tiepoint.testing.store import SCHEMA, make_row, stored_rows


@pytest.fixture
def store(tmp_path):
    store = MilvusStore(str(tmp_path / "store"))
    store.open()
    yield store
    store.close()


@pytest.fixture
def collection(store, tmp_path):
    return Collection.open(store, SCHEMA, tmp_path / "tier")


def reopen(collection, store, tmp_path, **options):
    collection.close()
    return Collection.open(store, SCHEMA, tmp_path / "tier", **options)


def test_what_is_written_is_found_at_once(collection):
    rows = [make_row(f"item {i}", seed=i) for i in range(20)]
    collection.write(rows)
    assert len(collection) == 20
    for row in rows[::5]:
        assert collection.search_vector("image", row.vectors["image"], 1, None, ()).ids == [row.id]
    where = Filter.parse("count in [3, 4]", SCHEMA.metadata)
    query = rows[0].vectors["text"]
    assert set(collection.search_vector("text", query, 10, where, ()).ids) == {"item 3", "item 4"}
    assert collection.get(["item 3", "absent"]) == {"item 3": ({"count": 3}, rows[3].parts)}
    assert collection.digests(["item 3", "absent"]) == {"item 3": rows[3].digest}


def test_delete_tells_how_many_there_were_and_forgets_them(collection, store):
    rows = [make_row("a"), make_row("b")]
    collection.write(rows)
    assert collection.delete(["a", "a", "absent"]) == 1
    assert collection.delete(["a"]) == 0
    assert collection.search_vector("image", rows[0].vectors["image"], 5, None, ()).ids == ["b"]
    assert stored_rows(store)["a"] is None
    assert store.last_sequence(SCHEMA.name) == collection.health()["sequence"]


def test_opening_again_starts_from_the_snapshot(collection, store, tmp_path):
    collection.write([make_row("a"), make_row("b")])
    again = reopen(collection, store, tmp_path)
    opened = again.health()["opened"]
    assert (opened["from"], opened["taken_over"]) == ("snapshot", 0)
    assert len(again) == 2


def test_what_was_written_after_the_snapshot_is_taken_over(collection, store, tmp_path):
    collection.write([make_row("a"), make_row("b"), make_row("c")])
    collection.snapshot()
    collection.write([make_row("d"), make_row("a", seed=1)])
    collection.delete(["b"])
    again = Collection.open(store, SCHEMA, tmp_path / "tier")
    opened = again.health()["opened"]
    assert (opened["from"], opened["taken_over"]) == ("snapshot", 3)
    assert again.digests(["a", "b", "c", "d"]) == {"a": "a-1", "c": "c-0", "d": "d-0"}


def test_without_a_snapshot_the_tier_is_built_from_the_store(collection, store, tmp_path):
    collection.write([make_row(str(i)) for i in range(100)])
    steps = []
    again = Collection.open(
        store,
        SCHEMA,
        tmp_path / "elsewhere",
        progress=lambda done, all_: steps.append((done, all_)),
    )
    assert again.health()["opened"]["from"] == "store"
    assert len(again) == 100
    assert steps[-1] == (100, 100)
    once_more = Collection.open(store, SCHEMA, tmp_path / "elsewhere")
    assert once_more.health()["opened"]["from"] == "snapshot"


def test_a_snapshot_of_other_data_is_not_believed(collection, store, tmp_path):
    collection.write([make_row(str(i)) for i in range(10)])
    collection.close()
    other_store = MilvusStore(str(tmp_path / "other"))
    other_store.open()
    try:
        other = Collection.open(other_store, SCHEMA, tmp_path / "other tier")
        for i in range(12):
            other.write([make_row(f"other {i}")])
        other.close()
        mixed = Collection.open(other_store, SCHEMA, tmp_path / "tier")
        assert mixed.health()["opened"]["from"] == "store"
        assert mixed.digests(["0", "other 3"]) == {"other 3": "other 3-0"}
    finally:
        other_store.close()


def test_a_snapshot_purges_the_tombstones_that_it_covers(collection, store):
    collection.write([make_row("a"), make_row("b"), make_row("c")])
    collection.delete(["a"])
    collection.write([make_row("d")])
    collection.snapshot()
    assert stored_rows(store).keys() == {"b", "c", "d"}


def test_a_failed_write_leaves_the_tier_as_it_was_and_the_next_one_catches_up(
    collection, store, monkeypatch
):
    collection.write([make_row("a")])
    upsert = store.upsert

    def lose_the_answer(name, rows):
        upsert(name, rows)
        raise StoreError("the connection was lost")

    monkeypatch.setattr(store, "upsert", lose_the_answer)
    with pytest.raises(StoreError):
        collection.write([make_row("b")])
    monkeypatch.undo()
    assert collection.digests(["b"]) == {}
    assert collection.health()["status"] == "degraded"
    collection.write([make_row("c")])
    assert collection.digests(["a", "b", "c"]).keys() == {"a", "b", "c"}
    assert collection.health()["status"] == "ok"


def test_readers_go_on_while_a_thread_writes(collection):
    rows = [make_row(f"item {i}") for i in range(400)]
    collection.write(rows[:50])
    failures, done = [], threading.Event()

    def read():
        while not done.is_set():
            found = collection.search_vector("image", rows[7].vectors["image"], 3, None, ())
            if found.ids[0] != "item 7" or len(found.ids) != 3:
                failures.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for start in range(50, 400, 50):
        collection.write(rows[start : start + 50])
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(collection) == 400


def vector_of(values):
    return {"image": np.array(values, np.float32)}


UNIT = [1.0] + [0.0] * 7
REFUSALS = {
    "not finite": ({"vectors": vector_of([np.nan] + [0.0] * 7)}, "'image'.*not finite"),
    "infinite": ({"vectors": vector_of([np.inf] + [0.0] * 7)}, "'image'.*not finite"),
    "zero": ({"vectors": vector_of([0.0] * 8)}, "'image'.*length 0, not 1"),
    "wrong dimension": ({"vectors": vector_of([1.0])}, r"'image'.*\(1,\), not \(8,\)"),
    "float64": ({"vectors": {"image": np.array(UNIT)}}, "float64, not float32"),
    "unknown field": ({"vectors": {"sound": np.ones(8, np.float32)}}, "no vector field 'sound'"),
    "text for a number": ({"metadata": {"count": "3"}}, "'count'.*not an integer"),
    "true for a number": ({"metadata": {"count": True}}, "'count'.*not an integer"),
    "float for an integer": ({"metadata": {"count": 1.0}}, "'count'.*not an integer"),
    "number for text": ({"metadata": {"colour": 3}}, "'colour'.*not a string"),
    "null": ({"metadata": {"colour": None}}, "'colour'.*not a string"),
    "one string for a list": ({"metadata": {"tags": "a"}}, "'tags'.*not a list of strings"),
    "mixed list": ({"metadata": {"sizes": [1, "b"]}}, "'sizes'.*not a list of integers"),
    "unknown metadata": ({"metadata": {"size": 3}}, "declares no metadata 'size'"),
    "beyond 64 bits": ({"metadata": {"count": 2**63}}, "'count' does not fit"),
    "huge whole number for a float": ({"metadata": {"price": 10**400}}, "'price' does not fit"),
    "infinite metadata": ({"metadata": {"price": float("inf")}}, "'price' is not finite"),
    "long string": ({"metadata": {"colour": "é" * 40_000}}, "80,000 bytes; at most 65,535"),
    "long list": ({"metadata": {"sizes": [1] * 5000}}, "5000 values; at most 4096"),
    "not Unicode": ({"metadata": {"colour": "\ud800"}}, "not valid Unicode"),
    "part not Unicode": ({"parts": {"text": "\ud800"}}, "part 'text' is not valid Unicode"),
    "huge part": ({"parts": {"text": "x" * 1_100_000}}, "part 'text' has 1,100,000 bytes"),
    "no id": ({"id": ""}, "1 to 512 bytes"),
    "long id": ({"id": "ü" * 257}, "1 to 512 bytes"),
    "id not Unicode": ({"id": "\ud800"}, "1 to 512 bytes"),
    "id twice": ({"id": "good"}, "stands twice"),
}


@pytest.mark.parametrize(("change", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_bad_row_is_refused_with_its_whole_batch(collection, store, change, message):
    good, bad = make_row("good"), replace(make_row("bad"), **change)
    with pytest.raises(SchemaError, match=message) as caught:
        collection.write([good, bad])
    assert "\n" not in str(caught.value)
    if "id" not in change:
        assert "'bad'" in str(caught.value)
    assert len(collection) == store.count(SCHEMA.name) == 0


def test_whole_numbers_are_numbers(collection):
    row = make_row("a")
    row.metadata["price"] = 3
    collection.write([row])
    assert collection.payloads(["a"])[0][0]["price"] == 3


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (CollectionSchema("c", (VectorField("v", 1, "f"),)), "1 dimensions"),
        (CollectionSchema("c", (VectorField("v", 8, "f"),) * 2), "share a name"),
        (CollectionSchema("c", (), metadata={"id": "int"}), "cannot be called 'id'"),
    ],
)
def test_a_collection_that_cannot_be_stored_is_refused(schema, message):
    with pytest.raises(SchemaError, match=message):
        validate_schema(schema)
