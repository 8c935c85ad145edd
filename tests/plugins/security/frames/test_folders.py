"""Folders of frames as clips."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tiepoint.errors import InputError
from tiepoint_security.frames.folders import frame_folders


@pytest.fixture
def clip(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in (1, 2, 10):
        Image.fromarray(np.full((16, 24), number, np.uint8)).save(folder / f"{number}.tif")
    return folder


def test_frames_stand_in_the_order_of_their_numbers(clip):
    [found] = frame_folders(clip.parent)
    assert [frame.name for frame in found.frames] == ["1.tif", "2.tif", "10.tif"]


def test_hidden_files_beside_frames_are_none(clip):
    (clip / "._1.tif").write_bytes(b"\x00\x05\x16\x07")
    [found] = frame_folders(clip.parent)
    assert len(found.frames) == 3


def test_a_folder_of_hidden_files_only_has_no_pictures(tmp_path):
    (tmp_path / "._1.tif").write_bytes(b"\x00\x05\x16\x07")
    with pytest.raises(InputError, match="no pictures"):
        frame_folders(tmp_path)
