"""Results that other systems take: dciodvfy, the FHIR models and Orthanc are the judges."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tests.adapters.dicom.peers import needs, orthanc
from tiepoint.errors import InputError
from tiepoint_adapters.dicom import read_dicom, render, report_text
from tiepoint_adapters.dicom.network.web import WebArchive
from tiepoint_medical.results.draft import NOTICE, Draft, DraftSentence, ReportedFinding
from tiepoint_medical.results.fhir import fhir_bundle, validated
from tiepoint_medical.results.heat_maps import heat_map, overlaid
from tiepoint_medical.results.structured_reports import measurement_report, text_report

DRAFT = Draft(
    findings=(
        ReportedFinding("pleural effusion", True, "RID34539", 0.73, ("TP-A", "TP-B")),
        ReportedFinding("pneumothorax", False, "RID5352", None, ("TP-A",)),
        ReportedFinding("a finding of the site's own", True),
    ),
    sentences=(
        DraftSentence("Small left pleural effusion.", ("TP-A",)),
        DraftSentence("No pneumothorax.", ("TP-A", "TP-B"), "impression"),
    ),
    model="tiepoint-medical default, index 7",
)


@pytest.fixture
def images():
    return [dcmread(get_testdata_file("CT_small.dcm"))]


def made(images):
    picture = render(read_dicom(images[0]))
    heat = np.outer(np.hanning(16), np.hanning(16))
    return {
        "measurements": measurement_report(images, DRAFT),
        "text": text_report(images, DRAFT),
        "heat": heat_map(images[0], picture, heat, "occlusion"),
    }


@needs("dciodvfy")
@pytest.mark.parametrize("name", ["measurements", "text", "heat"])
def test_dciodvfy_finds_no_error(tmp_path, images, name):
    file = tmp_path / "result.dcm"
    made(images)[name].save_as(file, enforce_file_format=True)
    checked = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    errors = [line for line in checked.stderr.splitlines() if line.startswith("Error")]
    assert errors == []


@pytest.mark.parametrize("name", ["measurements", "text"])
def test_reports_say_that_nobody_has_checked_them(images, name):
    report = made(images)[name]
    assert report.VerificationFlag == "UNVERIFIED"
    assert report.PreliminaryFlag == "PRELIMINARY"
    assert report.SeriesDescription == "Unverified machine output"
    assert report.StudyInstanceUID == images[0].StudyInstanceUID
    assert report.PatientID == images[0].PatientID
    [evidence] = report.CurrentRequestedProcedureEvidenceSequence
    [series] = evidence.ReferencedSeriesSequence
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == images[0].SOPInstanceUID


def test_findings_are_coded_with_their_presence_and_probability(images):
    text = report_text(read_dicom(made(images)["measurements"]))
    assert "Finding: pleural effusion" in text
    assert text.count("Presence: Present") == 2
    assert text.count("Presence: Absent") == 1
    assert "Calibrated match probability: 0.73" in text


def test_every_sentence_names_its_source_cases(images):
    report = made(images)["text"]
    assert report.SOPClassUID.name == "Basic Text SR Storage"
    text = report_text(read_dicom(report))
    assert NOTICE in text
    assert "Small left pleural effusion. [TP-A]" in text
    assert text.index("Impressions:") < text.index("No pneumothorax. [TP-A, TP-B]")


def test_a_sentence_without_a_source_is_refused():
    with pytest.raises(InputError, match="cites no source"):
        Draft(sentences=(DraftSentence("No effusion.", ()),))


def test_images_of_two_patients_are_refused(images):
    other = dcmread(get_testdata_file("MR_small.dcm"))
    with pytest.raises(InputError, match="2 patients"):
        measurement_report([*images, other], DRAFT)


def test_an_image_without_identifiers_is_refused(images):
    del images[0].StudyInstanceUID
    with pytest.raises(InputError, match="no StudyInstanceUID"):
        text_report(images, DRAFT)


def test_an_image_with_a_poor_header_is_reported_on_in_any_language(images):
    for keyword in ("PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber", "StudyTime"):
        if keyword in images[0]:
            del images[0][keyword]
    images[0].PatientSex = "?"
    images[0].StudyDate = "soon"
    said = Draft(
        findings=DRAFT.findings, sentences=(DraftSentence("右侧少量胸腔积液。", ("TP-A",)),)
    )
    for report in (measurement_report(images, said), text_report(images, said)):
        assert not report.PatientSex
        assert not report.StudyDate
    assert "右侧少量胸腔积液。 [TP-A]" in report_text(read_dicom(report))
    assert report.ContentSequence[0].ConceptCodeSequence[0].CodeValue == "zh"


@pytest.mark.parametrize("release", ["R5", "R4"])
def test_fhir_is_valid_preliminary_and_without_names(images, release):
    bundle = fhir_bundle(images, DRAFT, release)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["Patient", "Device", "ImagingStudy", *3 * ["Observation"], "DiagnosticReport"]
    report = bundle["entry"][-1]["resource"]
    assert report["status"] == "preliminary"
    assert report["conclusion"].startswith(NOTICE)
    assert "No pneumothorax. [TP-A, TP-B]" in report["conclusion"]
    links = {entry["fullUrl"] for entry in bundle["entry"]}
    assert {one["reference"] for one in report["result"]} <= links
    assert str(images[0].PatientName) not in str(bundle)
    report["status"] = 7
    with pytest.raises(InputError, match="DiagnosticReport is not valid"):
        validated(bundle, release)


def test_heat_leaves_cold_places_as_they_are():
    picture = np.full((40, 60), 100, np.uint8)
    heat = np.zeros((4, 6))
    heat[0, 0] = 3.0
    shown = overlaid(picture, heat)
    assert (shown[30:, 40:] == 100).all()
    assert shown[2, 2, 0] > 120 > shown[2, 2, 2]


@needs("Orthanc")
@pytest.mark.slow
def test_results_go_back_to_the_archive_by_stow(tmp_path, images):
    with orthanc(tmp_path) as (_, http):
        archive = WebArchive(f"http://127.0.0.1:{http}/dicom-web")
        results = [read_dicom(one) for one in made(images).values()]
        assert archive.store([read_dicom(images[0]), *results]) == 4
        [study] = archive.find_studies(StudyInstanceUID=str(images[0].StudyInstanceUID))
        assert int(study.get("NumberOfStudyRelatedInstances", 4)) == 4
