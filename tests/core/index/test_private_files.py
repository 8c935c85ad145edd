"""What holds the texts of items can be read by their user only, and opening says that it writes."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tiepoint.errors import InputError, StoreError
from tiepoint.index.collection import Collection
from tiepoint.index.milvus import MilvusStore
from tiepoint.index.ownership import StoreLock
from tiepoint.paths import cache_dir
from tiepoint.testing.store import SCHEMA, make_row


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def fill(folder: Path) -> None:
    store = MilvusStore(str(folder))
    store.open()
    collection = Collection.open(store, SCHEMA, folder / "tiers" / "items")
    collection.write([make_row("a")])
    collection.close()
    store.close()


def test_a_new_store_is_for_its_user_only(tmp_path):
    fill(tmp_path / "store")
    assert mode(tmp_path / "store") == 0o700


def test_in_a_folder_that_was_there_the_content_is_for_its_user_only(tmp_path):
    tmp_path.chmod(0o755)
    fill(tmp_path)
    [snapshots] = (tmp_path / "tiers" / "items").iterdir()
    assert mode(tmp_path / "milvus") == mode(snapshots) == 0o700
    assert mode(tmp_path / "store.json") == mode(tmp_path / "owner.lock") == 0o600


def test_the_cache_is_for_its_user_only(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    assert mode(cache_dir("embeddings")) == mode(tmp_path / "cache") == 0o700


def test_a_full_disk_at_opening_says_that_opening_writes(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        (folder / "ballast").write_bytes(bytes(4096))
        (folder / "more").write_bytes(bytes(4096))
        lock = StoreLock(folder)
        with pytest.raises(StoreError, match="No space left") as caught:
            lock.acquire()
        assert "Opening a store writes to it" in str(caught.value)
        (folder / "more").unlink()
        lock.acquire()
        lock.release()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_folder_that_cannot_be_written_says_that_opening_writes(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tiepoint.index.ownership.os.open", refuse)
    with pytest.raises(InputError, match="Read-only") as caught:
        StoreLock(tmp_path).acquire()
    assert "Opening a store writes to it" in str(caught.value)
