"""`tiepoint medical show`: the list and the pictures that other programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.data import get_testdata_file

from tests.command_line import tiepoint


def test_show_lists_every_file_and_writes_what_has_pixels(tmp_path):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    for name, target in (("CT_small.dcm", "ct"), ("rtdose.dcm", "deep/dose.dcm"),
                         ("reportsi.dcm", "report"), ("MR_truncated.dcm", "cut")):  # fmt: skip
        (source / target).write_bytes(Path(get_testdata_file(name)).read_bytes())
    (source / "x.txt").write_text("hello")
    done = tiepoint(
        "medical", "show", source, "--out", tmp_path / "png", "--json", tmp_path / "list.json"
    )
    assert done.returncode == 0, done.stderr
    listed = {entry["file"]: entry for entry in json.loads((tmp_path / "list.json").read_text())}
    assert set(listed) == {"ct", "deep/dose.dcm", "report", "cut", "x.txt"}
    assert set(listed["ct"]) == {
        "file", "ok", "reason", "modality", "transfer_syntax", "frames", "png"
    }  # fmt: skip
    assert listed["ct"]["ok"]
    assert listed["ct"]["transfer_syntax"] == "1.2.840.10008.1.2.1"
    assert np.asarray(Image.open(listed["ct"]["png"][0])).shape == (128, 128)
    assert listed["deep/dose.dcm"]["frames"] == 15
    assert len(listed["deep/dose.dcm"]["png"]) == 3
    assert listed["report"]["ok"]
    assert listed["report"]["png"] == []
    assert "Basic Text SR" in listed["report"]["reason"]
    assert not listed["cut"]["ok"]
    assert "cut short" in listed["cut"]["reason"]
    assert listed["x.txt"]["reason"] == "the file is not DICOM"


def test_show_writes_every_frame_where_it_is_asked_to(tmp_path):
    done = tiepoint(
        "medical", "show", get_testdata_file("rtdose.dcm"), "--out", tmp_path, "--all-frames",
        "--json", "-",
    )  # fmt: skip
    [entry] = json.loads(done.stdout)
    assert len(entry["png"]) == 15


def test_show_of_nothing_is_wrong_input(tmp_path):
    done = tiepoint("medical", "show", tmp_path / "none", "--out", tmp_path)
    assert done.returncode == 2
    assert "no such file or folder" in done.stderr


def test_show_of_an_empty_folder_is_wrong_input_and_writes_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    done = tiepoint("medical", "show", tmp_path / "in", "--out", tmp_path / "png")
    assert done.returncode == 2
    assert "in: the folder holds no file" in done.stderr
    assert not (tmp_path / "png").exists()


def test_show_into_a_place_that_takes_no_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = tiepoint(
        "medical", "show", get_testdata_file("CT_small.dcm"), "--out", tmp_path / "file" / "png"
    )
    assert done.returncode == 2
    assert "png: the folder cannot be made (Not a directory). Name another one." in done.stderr
