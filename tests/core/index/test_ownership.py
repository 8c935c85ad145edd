"""One process owns an embedded store."""

import os
import signal
import subprocess
import sys

import pytest

from tiepoint.errors import InputError, StoreOwnedError
from tiepoint.index.milvus import MilvusStore
from tiepoint.index.ownership import StoreLock, current_owner

HOLDER = """
import sys, time
from pathlib import Path
from tiepoint.index.ownership import StoreLock
lock = StoreLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_second_process_learns_who_holds_the_store_and_since_when(holder, tmp_path):
    with pytest.raises(StoreOwnedError) as caught:
        StoreLock(tmp_path).acquire()
    message = str(caught.value)
    assert f"process {holder.pid}" in message
    assert str(tmp_path) in message
    assert "since 20" in message
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_a_killed_owner_owns_no_longer(holder, tmp_path):
    assert current_owner(tmp_path).pid == holder.pid
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert current_owner(tmp_path) is None
    lock = StoreLock(tmp_path)
    lock.acquire()
    assert current_owner(tmp_path).pid == os.getpid()
    lock.release()


def test_the_same_process_cannot_open_a_store_twice(tmp_path):
    first = MilvusStore(str(tmp_path / "store"))
    first.open()
    try:
        with pytest.raises(StoreOwnedError, match="this process"):
            MilvusStore(str(tmp_path / "store")).open()
    finally:
        first.close()
    again = MilvusStore(str(tmp_path / "store"))
    again.open()
    again.close()


def test_a_store_that_fails_to_open_is_not_left_owned(tmp_path):
    (tmp_path / "store.json").write_text('{"tiepoint_store": 1}')
    with pytest.raises(InputError):
        MilvusStore(str(tmp_path)).open()
    assert current_owner(tmp_path) is None


def test_a_folder_that_nobody_opened_has_no_owner(tmp_path):
    assert current_owner(tmp_path / "absent") is None
