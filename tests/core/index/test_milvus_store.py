"""The Milvus store: the contract, and what can be wrong with a folder."""

import contextlib
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tiepoint.errors import InputError, SchemaError, StoreError
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import (
    SCHEMA,
    StoreConformance,
    assert_same_row,
    make_row,
    stored_rows,
)


class TestEmbeddedStore(StoreConformance):
    def make_store(self, folder: Path) -> MilvusStore:
        return MilvusStore(str(folder))


@pytest.fixture
def store(tmp_path):
    store = MilvusStore(str(tmp_path / "store"))
    store.open()
    store.create(SCHEMA)
    yield store
    store.close()


def test_path_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("something")
    with pytest.raises(InputError, match="is a file"):
        MilvusStore(str(path)).open()
    assert path.read_text() == "something"


def test_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="something else"):
        MilvusStore(str(tmp_path)).open()
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_unwritable_place_is_refused():
    with pytest.raises(InputError, match="cannot be used"):
        MilvusStore("/proc/tiepoint-store").open()


def test_store_of_a_newer_format_is_refused(tmp_path):
    (tmp_path / "store.json").write_text('{"tiepoint_store": 99, "clean": true, "collections": {}}')
    with pytest.raises(InputError, match="format 99"):
        MilvusStore(str(tmp_path)).open()


def test_unreachable_server_is_one_clear_line_without_the_password():
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        MilvusStore("http://user:secret@127.0.0.1:9").open()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_use_before_opening_says_so(tmp_path):
    with pytest.raises(StoreError, match="not open"):
        MilvusStore(str(tmp_path / "store")).create(SCHEMA)


def test_metadata_called_id_is_refused(store):
    with pytest.raises(SchemaError, match="'id'"):
        store.create(replace(SCHEMA, name="other", metadata={"id": "string"}))


def test_only_its_user_can_reach_milvus(tmp_path, monkeypatch):
    sockets = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
    before = listening_tcp_sockets_of_this_process()
    store = MilvusStore(str(tmp_path / "store"))
    store.open()
    try:
        (folder,) = sockets.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(listening_tcp_sockets_of_this_process()) <= len(before)
    finally:
        store.close()
    assert list(sockets.iterdir()) == []
    sockets.rmdir()


def listening_tcp_sockets_of_this_process():
    own = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            own.add(str(link.readlink()))
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]
    ]
    listening = "0A"
    return [words for words in lines if words[3] == listening and f"socket:[{words[9]}]" in own]


def test_a_large_text_part_is_kept_whole(store):
    row = make_row("long")
    row.parts["text"] = "word " * 200_000
    store.upsert(SCHEMA.name, [row])
    assert_same_row(stored_rows(store)["long"], row)


def test_nothing_is_printed_when_milvus_refuses(tmp_path):
    code = f"""
import sys
from tiepoint.errors import StoreError
from tiepoint.index.milvus import MilvusStore
from tiepoint.testing.store import SCHEMA, make_row
store = MilvusStore({str(tmp_path / "store")!r})
store.open()
store.create(SCHEMA)
row = make_row("a")
row.metadata["count"] = "not a number"
try:
    store.upsert(SCHEMA.name, [row])
except StoreError as error:
    print(error)
store.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
