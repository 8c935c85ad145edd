"""Scratch folders are removed, also when their process could not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tiepoint.scratch import ScratchFolder


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_closed_folder_is_gone(tmp_path):
    folder = ScratchFolder("test")
    (folder.path / "file").write_text("x")
    folder.close()
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_forked_process_leaves_the_folder_to_its_parent():
    code = (
        "import os; from tiepoint.scratch import ScratchFolder; f = ScratchFolder('test');"
        "child = os.fork(); child and os.waitpid(child, 0);"
        "child and print(f.path.exists(), flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_living_one_is_not(tmp_path):
    code = (
        "from tiepoint.scratch import ScratchFolder; import time; f = ScratchFolder('test');"
        "print(f.path, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    left_behind = Path(child.stdout.readline().strip())
    mine = ScratchFolder("test")
    assert left_behind.exists()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    ScratchFolder("test").close()
    assert not left_behind.exists()
    assert mine.path.exists()
    mine.close()
