"""`tiepoint bench dicom`: both readers decode the same frames."""

from __future__ import annotations

import json
import shutil

from pydicom.data import get_testdata_file

from tests.command_line import tiepoint
from tiepoint_adapters.benchmarks.dicom import bare, decodable, ours, shown


def test_both_read_the_same_frames_and_leave_out_what_neither_reads(tmp_path):
    for name in ("CT_small.dcm", "rtdose.dcm", "MR_small_RLE.dcm", "reportsi.dcm"):
        shutil.copy(get_testdata_file(name), tmp_path)
    files = decodable(tmp_path)
    assert [file.name for file in files] == ["CT_small.dcm", "MR_small_RLE.dcm", "rtdose.dcm"]
    assert [bare(file) for file in files] == [1, 1, 15]
    assert [ours(file) for file in files] == [shown(file) for file in files] == [1, 1, 15]


def test_the_command_writes_its_figures(tmp_path):
    shutil.copy(get_testdata_file("CT_small.dcm"), tmp_path)
    figures = tmp_path / "figures.json"
    done = tiepoint("bench", "dicom", tmp_path, "--rounds", "1", "--json", figures)
    assert done.returncode == 0, done.stderr
    written = json.loads(figures.read_text())
    assert set(written) == {"rows", "machine", "versions"}
    assert {row["engine"] for row in written["rows"]} == {
        "pydicom", "tiepoint", "tiepoint, rendered", "tiepoint, 2 processes"
    }  # fmt: skip


def test_a_folder_without_pictures_is_wrong_input(tmp_path):
    assert tiepoint("bench", "dicom", tmp_path).returncode == 2
