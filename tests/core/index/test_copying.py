"""Copies of stores: complete, resumable, compared."""

import contextlib
import json
import signal
import subprocess
import sys
import time

import pytest

from tests.milvus_server import MilvusServer
from tiepoint.cli.main import main
from tiepoint.errors import InputError, SchemaError, StoreError
from tiepoint.index.base import CollectionSchema, VectorField
from tiepoint.index.collection import Collection
from tiepoint.index.copying import content, copy_collection
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, assert_same_row, make_row, stored_rows

COUNT = 1200


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = MilvusServer(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


@contextlib.contextmanager
def opened(uri):
    store = MilvusStore(str(uri))
    store.open()
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def folder(tmp_path):
    """A store with items, some without a part, two deleted and one written twice."""
    with opened(tmp_path / "from") as store:
        store.create(SCHEMA)
        rows = [make_row(f"item {i}", seed=i, image=i % 7 > 0) for i in range(COUNT)]
        for start in range(0, COUNT, 500):
            store.upsert(SCHEMA.name, rows[start : start + 500])
        store.delete(SCHEMA.name, ["item 5", "item 6"])
        again = make_row("item 8", seed=99)
        again.metadata.update(tags=["a", "b c", "北京"], price=0.1, new=False, colour="")
        store.upsert(SCHEMA.name, [again])
    return tmp_path / "from"


def rows_of(uri):
    with opened(uri) as store:
        store.create(SCHEMA)
        return stored_rows(store)


def assert_same_content(original, copied):
    assert copied.keys() == original.keys()
    for item, row in original.items():
        if row is None:
            assert copied[item] is None
        else:
            assert_same_row(copied[item], row)


def run(capsys, *words):
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_store_goes_to_a_server_and_back_and_is_the_same(folder, server, tmp_path, capsys):
    database = f"{server.uri}/copies"
    from pymilvus import MilvusClient

    client = MilvusClient(server.uri)
    client.create_database("copies")
    client.close()
    code, out, err = run(capsys, "store", "copy", folder, database, "--json")
    assert code == 0, err
    [there] = json.loads(out)["collections"]
    assert (there["collection"], there["items"]) == ("items", COUNT - 2)
    code, out, err = run(capsys, "store", "copy", database, tmp_path / "back", "--json")
    assert code == 0, err
    [back] = json.loads(out)["collections"]
    assert (back["items"], back["checksum"]) == (COUNT - 2, there["checksum"])
    assert_same_content(rows_of(folder), rows_of(tmp_path / "back"))


def test_a_copy_can_be_searched_and_written_to(folder, tmp_path, capsys):
    code, out, err = run(capsys, "store", "copy", folder, tmp_path / "to")
    assert code == 0, err
    assert f"items: {COUNT - 2} items, checksum" in out
    with opened(tmp_path / "to") as store:
        collection = Collection.open(store, SCHEMA, tmp_path / "tier")
        row = make_row("item 9", seed=9)
        nearest = collection.search_vector("image", row.vectors["image"], 1, None, ())
        assert nearest.ids == ["item 9"]
        assert collection.digests(["item 5", "item 8"]) == {"item 8": "item 8-99"}
        collection.write([make_row("new")])
        assert len(collection) == COUNT - 1
        collection.close()
    code, out, err = run(capsys, "store", "copy", folder, tmp_path / "to")
    assert code == 2
    assert "written to" in err
    assert rows_of(tmp_path / "to")["new"] is not None


def test_a_copy_keeps_the_metric(tmp_path, capsys):
    schema = CollectionSchema("items", (VectorField("image", 4, "given", "euclidean"),))
    with opened(tmp_path / "from") as store:
        store.create(schema)
    assert run(capsys, "store", "copy", tmp_path / "from", tmp_path / "to")[0] == 0
    with opened(tmp_path / "to") as store:
        assert store.collections() == {"items": schema}
        with pytest.raises(SchemaError, match="4 euclidean"):
            store.create(CollectionSchema("items", (VectorField("image", 4, "given"),)))


def test_a_second_run_copies_what_was_written_since(folder, tmp_path, capsys):
    assert run(capsys, "store", "copy", folder, tmp_path / "to")[0] == 0
    with opened(folder) as store:
        store.create(SCHEMA)
        store.upsert(SCHEMA.name, [make_row("item 1", seed=5), make_row("late")])
        store.delete(SCHEMA.name, ["item 2"])
    code, out, err = run(capsys, "store", "copy", folder, tmp_path / "to", "--json")
    assert code == 0, err
    [report] = json.loads(out)["collections"]
    assert report["written"] == 3
    assert report["resumed_after"] > COUNT
    assert_same_content(rows_of(folder), rows_of(tmp_path / "to"))


def test_a_deletion_that_the_source_has_forgotten_is_copied_all_the_same(folder, tmp_path):
    with opened(folder) as source, opened(tmp_path / "to") as target:
        copy_collection(source, target, SCHEMA)
        last = source.delete(SCHEMA.name, ["item 1", "item 3"])
        source.upsert(SCHEMA.name, [make_row("later")])
        source.purge(SCHEMA.name, last)
        report = copy_collection(source, target, SCHEMA)
        assert report.removed >= 2
        assert target.count(SCHEMA.name) == source.count(SCHEMA.name)
        assert "item 1" not in stored_rows(target)
        target.delete(SCHEMA.name, ["item 9"])
        with pytest.raises(InputError, match="written to"):
            copy_collection(source, target, SCHEMA)
        assert "item 8" in stored_rows(target)


def test_a_run_that_was_killed_goes_on(folder, tmp_path, capsys):
    program = """
import sys, tiepoint.index.copying as copying
from tiepoint.cli.main import main
copying._ROWS_AT_ONCE = 100
main(["store", "copy", *sys.argv[1:]])
"""
    target = tmp_path / "to"
    copier = subprocess.Popen([sys.executable, "-c", program, str(folder), str(target)])
    deadline = time.monotonic() + 30
    log = target / "milvus" / "collections" / "items"
    while sum(f.stat().st_size for f in log.rglob("wal_data*")) < 60_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    copier.send_signal(signal.SIGKILL)
    copier.wait()
    code, out, err = run(capsys, "store", "copy", folder, target, "--json")
    assert code == 0, err
    [report] = json.loads(out)["collections"]
    assert 0 < report["written"] < COUNT
    assert report["resumed_after"] > 0
    assert_same_content(rows_of(folder), rows_of(target))


def test_a_difference_is_found(folder, tmp_path):
    with opened(folder) as source, opened(tmp_path / "to") as target:
        copy_collection(source, target, SCHEMA)
        before = content(target, SCHEMA.name)
        row = make_row("item 3", seed=3)
        row.vectors["image"] = -row.vectors["image"]
        target.restore(SCHEMA.name, [(4, row)])
        assert content(target, SCHEMA.name).items == before.items
        assert content(target, SCHEMA.name).checksum != before.checksum
        with pytest.raises(StoreError, match="the copy differs"):
            copy_collection(source, target, SCHEMA)


def test_gaps_that_a_server_left_are_filled(folder, tmp_path):
    with opened(folder) as source, opened(tmp_path / "to") as target:
        source.create(SCHEMA)
        last = source.last_sequence(SCHEMA.name)
        target.create(SCHEMA, copy_of=source.identity(SCHEMA.name))
        target.restore(SCHEMA.name, [(last, stored_rows(source)["item 8"])])
        report = copy_collection(source, target, SCHEMA)
        assert report.items == COUNT - 2
        assert report.written >= COUNT - 3


def test_what_cannot_be_copied_is_one_clear_line(folder, tmp_path, capsys):
    absent = tmp_path / "absent"
    for words, said in [
        ((absent, tmp_path / "to"), "there is no store"),
        ((folder, f"{folder}/"), "the same store"),
        ((folder, tmp_path / "to", "--collection", "other"), "no collection 'other'"),
        (("http://127.0.0.1:9", tmp_path / "to"), "cannot be reached"),
    ]:
        code, _, err = run(capsys, "store", "copy", *words)
        assert code in (1, 2)
        assert said in err
        assert err.count("\n") == 1
    assert not absent.exists()


def test_a_collection_that_is_no_copy_is_left_alone(folder, tmp_path):
    with opened(folder) as source, opened(tmp_path / "to") as target:
        target.create(SCHEMA)
        target.upsert(SCHEMA.name, [make_row("mine")])
        with pytest.raises(InputError, match="no copy"):
            copy_collection(source, target, SCHEMA)
        assert stored_rows(target).keys() == {"mine"}
