"""From a listener's inbox, or a folder, to studies with their reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tests.adapters.dicom.objects import image, written
from tests.adapters.dicom.test_hl7 import message
from tests.adapters.dicom.test_series import ct_slice
from tiepoint.errors import DecodeError
from tiepoint.types import Skipped
from tiepoint_medical.archive.studies import Study, read_studies
from tiepoint_medical.deid.folder import deidentify_folder
from tiepoint_medical.deid.identities import Identities
from tiepoint_medical.deid.messages import clean_message
from tiepoint_medical.deid.options import DeidOptions

SECRET = Identities(b"a secret of the tests, long enough")


def read(folder: Path) -> tuple[list[Study], dict[str, str]]:
    found = list(read_studies(folder))
    studies = [one for one in found if isinstance(one, Study)]
    return studies, {one.where: one.reason for one in found if isinstance(one, Skipped)}


def test_views_volumes_and_reports_of_a_study_come_together(tmp_path):
    for number in range(3):
        view = image(StudyInstanceUID="1.2.3", AccessionNumber="ACC7", BodyPartExamined="CHEST")
        (tmp_path / f"view{number}").write_bytes(written(view))
    for number in range(4):
        one = ct_slice(0, number, StudyInstanceUID="1.2.3", PatientID="P1")
        (tmp_path / f"slice{number}").write_bytes(written(one))
    report = dcmread(get_testdata_file("reportsi.dcm"))
    report.StudyInstanceUID, report.PatientID = "1.2.3", "P1"
    (tmp_path / "sr").write_bytes(written(report))
    (tmp_path / "m.hl7").write_bytes(message().encode())
    (tmp_path / "ACC7.txt").write_text("Impression: normal.")
    (tmp_path / "ACC8.txt").write_text("Somebody else.")
    [study], skipped = read(tmp_path)
    assert [len(volume.frames) for volume in study.volumes] == [4, 1, 1, 1]
    assert study.accession == "ACC7"
    assert study.body_part == "CHEST"
    assert "No effusion" in study.report
    assert "Impression: normal." in study.report
    assert "miller" in study.identifiers
    assert skipped == {"ACC8": "no study has the accession number of this report"}


def test_a_study_of_mixed_patients_is_left_out(tmp_path):
    for patient in ("P1", "P2"):
        one = image(StudyInstanceUID="1.2.3", PatientID=patient)
        (tmp_path / patient).write_bytes(written(one))
    studies, skipped = read(tmp_path)
    assert studies == []
    assert skipped == {"1.2.3": "the study is of 2 patients"}


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path):
    nameless = image()
    del nameless.StudyInstanceUID
    (tmp_path / "nameless").write_bytes(written(nameless))
    (tmp_path / "noise").write_bytes(b"noise")
    (tmp_path / "long").write_bytes(written(image(NumberOfFrames=2_000_000)))
    (tmp_path / "bomb").write_bytes(written(image(NumberOfFrames=900_000)))
    (tmp_path / "A.txt").write_text("  \n")
    (tmp_path / "B.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "c.hl7").write_bytes(b"MSH")
    _, skipped = read(tmp_path)
    assert skipped == {
        "nameless": "the object has no StudyInstanceUID",
        "noise": "the file is not DICOM",
        "bomb": "the header claims 900000 frames, more than the file can hold",
        "long": "the header claims 2000000 frames, more than 1,000,000",
        "A.txt": "the report is empty",
        "B.txt": "the report is not UTF-8",
        "c.hl7": "the content is no HL7 v2 message",
    }


def test_a_deidentified_inbox_keeps_pictures_and_reports_together(tmp_path):
    inbox, out = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    view = image(np.zeros((8, 8), np.uint8), AccessionNumber="ACC7", PatientName="Miller^Anna")
    (inbox / "a.dcm").write_bytes(written(view))
    text = "FINDINGS: Anna Miller has no effusion. Seen 2024-03-01."
    (inbox / "b.hl7").write_bytes(message(text=text).encode())
    report = deidentify_folder(inbox, out, SECRET, DeidOptions(pixels=False))
    assert (report.written, report.reports, report.left_out) == (1, 1, [])
    [study], skipped = read(out)
    assert skipped == {}
    assert study.patient.startswith("TP-")
    assert study.report == "FINDINGS: REDACTED REDACTED has no effusion. Seen REDACTED."


def test_a_message_without_a_report_cannot_be_cleaned():
    with pytest.raises(DecodeError):
        clean_message(message(text="").encode(), SECRET)
