"""After an unclean end the store is brought back to speed before it reports ready."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from milvus_lite.storage.memtable import MemTable

from tiepoint.errors import InputError, StoreError
from tiepoint.index.embedded import EmbeddedMilvus
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, assert_same_row, make_row, stored_rows

WRITER = """
import sys, time
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, make_row
store = MilvusStore(sys.argv[1])
store.open()
store.create(SCHEMA)
store.upsert(SCHEMA.name, [make_row(str(i)) for i in range(300)])
store.delete(SCHEMA.name, ["7"])
print("written", flush=True)
time.sleep(60)
"""


@pytest.fixture
def killed(tmp_path):
    folder = tmp_path / "store"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    return folder


def opened(folder: Path) -> MilvusStore:
    store = MilvusStore(str(folder))
    store.open()
    return store


def logged_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("wal_*.arrow"))


def test_recovery_is_done_when_the_store_is_open_and_health_tells_of_it(killed):
    assert logged_bytes(killed) > 10_000
    store = opened(killed)
    assert logged_bytes(killed) == 0
    assert store.health()["recovery"]["reason"] == "the last process did not close the store"
    store.create(SCHEMA)
    assert store.last_sequence(SCHEMA.name) == 301
    assert store.count(SCHEMA.name) == 299
    found = stored_rows(store)
    assert found["7"] is None
    assert_same_row(found["8"], make_row("8"))
    store.close()
    again = opened(killed)
    assert again.health()["recovery"] is None
    again.close()


def test_a_kill_while_a_collection_was_made_is_no_obstacle(killed):
    (killed / "milvus" / "collections" / "others" / "wal").mkdir(parents=True)
    store = opened(killed)
    store.close()
    assert not (killed / "milvus" / "collections" / "others").exists()


def test_damaged_files_are_one_clear_line_and_the_store_is_given_back(killed):
    for name in ("manifest.json", "manifest.json.prev"):
        (killed / "milvus" / "collections" / SCHEMA.name / name).write_text("{broken")
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            opened(killed)
        assert "\n" not in str(caught.value)
        assert str(killed) in str(caught.value)


def test_a_damaged_description_is_not_overwritten(killed):
    (killed / "store.json").write_text("{broken")
    with pytest.raises(InputError, match=r"store\.json"):
        opened(killed)
    assert (killed / "store.json").read_text() == "{broken"


def test_an_interrupted_write_does_not_harm_the_next(killed, monkeypatch):
    store = opened(killed)
    store.create(SCHEMA)

    def interrupt(embedded, name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedMilvus, "sync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.upsert(SCHEMA.name, [make_row("interrupted")])
    assert store.health()["status"] == "failed"
    before = store.last_sequence(SCHEMA.name)
    assert store.upsert(SCHEMA.name, [make_row("next")]) > before
    assert store.health()["status"] == "ok"
    assert_same_row(stored_rows(store)["next"], make_row("next"))
    store.close()


def test_rows_that_an_interruption_left_on_their_way_are_written_whole(tmp_path, monkeypatch):
    store = opened(tmp_path / "store")
    store.create(SCHEMA)
    insert = MemTable.apply_insert

    def interrupted(table, batch):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.5)
        insert(table, batch)

    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(MemTable, "apply_insert", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.upsert(SCHEMA.name, [make_row(str(number)) for number in range(50)])
    finally:
        signal.signal(signal.SIGINT, former)
    store.upsert(SCHEMA.name, [make_row("next")])
    assert stored_rows(store).keys() == {*map(str, range(50)), "next"}
    store.close()
