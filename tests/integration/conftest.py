"""What the tests of whole commands share: a cache of their own, and the command in-process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tiepoint.cli.main import main

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Compile each model once for all of these tests, and never in the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIEPOINT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def tiepoint_here(capfd) -> Command:
    """Run the same code in this process, without the start of Python."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        code = main([str(word) for word in words])
        told = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, told.out, told.err)

    return run
