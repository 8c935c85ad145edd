"""A draft in the forms that other systems take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from tiepoint.errors import InputError
from tiepoint_adapters.dicom import read_dicom, report_text
from tiepoint_medical.matching.draft import Draft, DraftSentence
from tiepoint_medical.results.outgoing import outgoing, write_results

DRAFTED = Draft(
    sentences=(
        DraftSentence("Small effusion.", "TP-A", {"pleural_effusion": "present"}, 3),
        DraftSentence("No effusion on the right, perhaps a nodule.", "TP-B",
                      {"nodule": "uncertain"}, 2),
    ),
    abstained=False,
    neighbours=("TP-A", "TP-B"),
)  # fmt: skip


def test_a_draft_goes_out_in_four_forms(tmp_path):
    image = Path(get_testdata_file("CT_small.dcm"))
    results = outgoing(DRAFTED, {"pleural_effusion": "RID34539"})
    files = write_results(results, [image], tmp_path / "out")
    assert [file.name for file in files] == [
        "findings.dcm", "report.dcm", "fhir-r5.json", "fhir-r4.json"
    ]  # fmt: skip
    findings = report_text(read_dicom(files[0]))
    assert "pleural effusion" in findings
    assert "nodule" not in findings
    assert "perhaps a nodule. [TP-B]" in report_text(read_dicom(files[1]))
    kinds = [
        entry["resource"]["resourceType"] for entry in json.loads(files[2].read_text())["entry"]
    ]
    assert kinds.count("Observation") == 1


def test_an_empty_draft_is_not_written(tmp_path):
    with pytest.raises(InputError, match="nothing was drafted"):
        write_results(outgoing(Draft((), True, ()), {}), [tmp_path / "x"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
