"""The page Reading room, by clicks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

import tiepoint_medical.plugin
from tests.adapters.dicom.objects import image, written
from tests.adapters.http.pages.conftest import listening
from tests.adapters.http.pages.test_frame import untranslated
from tests.plugins.medical.test_matching import DEPLOYMENT, EFFUSION, archive, striped_slice
from tests.plugins.medical.test_routes import VIEWER
from tiepoint import Host
from tiepoint_medical.archive.incoming import from_studies
from tiepoint_medical.archive.studies import read_studies


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folder = tmp_path_factory.mktemp("room")
    config = folder / "deploy.yaml"
    viewer = DEPLOYMENT.replace("./state}", f'./state, viewer: "{VIEWER}"}}')
    config.write_text(viewer, encoding="utf-8")
    (folder / "in").mkdir()
    former = striped_slice(1, PatientID="P7", StudyInstanceUID="1.2.6", AccessionNumber="A6")
    (folder / "in" / "former").write_bytes(written(former))
    (folder / "in" / "A6.txt").write_text("No effusion.")
    host = Host.from_config(config)
    with listening(host) as address:
        service = host.plugin("medical").service
        service.ingest(archive())
        service.ingest(from_studies(read_studies(folder / "in")))
        yield address


@pytest.fixture
def study(tmp_path):
    """Return the files of a study of three slices, the last one first."""
    files = []
    for at, number in enumerate((2, 0, 1)):
        one = striped_slice(number, PatientID="P7", StudyInstanceUID="1.2.7")
        files.append(tmp_path / f"{at}.dcm")
        files[-1].write_bytes(written(one))
    return [str(file) for file in files]


def opened(visitor, files):
    visitor.page.locator("#image").set_input_files(files)


def test_an_object_is_opened_windowed_and_matched_with_what_must_be_said(room, visit):
    visitor = visit(f"{room}/pages/medical")
    opened(visitor, get_testdata_file("CT_small.dcm", download=False))
    picture = visitor.page.get_by_alt_text("Frame 1 of 1")
    picture.wait_for()
    first = picture.get_attribute("src")
    visitor.page.get_by_label("Window", exact=True).focus()
    visitor.page.keyboard.press("PageUp")
    visitor.page.get_by_role("button", name="Its own window").wait_for()
    visitor.page.wait_for_function(
        "before => document.querySelector('.picture img').src !== before", arg=first
    )
    visitor.page.get_by_label("Report or words").fill(EFFUSION)
    visitor.page.get_by_role("button", name="Find similar cases").click()
    visitor.page.locator(".cases .card").first.wait_for(timeout=40_000)
    visitor.sees("Decision support")
    visitor.sees("Large left pleural effusion")
    visitor.page.locator("mark").first.wait_for()
    assert visitor.barriers() == []
    assert visitor.complaints == []


def test_a_study_of_several_files_is_scrolled_matched_and_its_draft_saved(room, visit, study):
    visitor = visit(f"{room}/pages/medical")
    opened(visitor, study)
    visitor.page.get_by_alt_text("Frame 1 of 3").wait_for()
    visitor.sees("3 files")
    visitor.page.get_by_role("group", name="The picture").focus()
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.get_by_alt_text("Frame 2 of 3").hover()
    visitor.page.mouse.wheel(0, 100)
    visitor.page.get_by_alt_text("Frame 3 of 3").wait_for()
    link = visitor.page.get_by_role("link", name="Open in the other viewer")
    assert link.get_attribute("href") == VIEWER.replace("{study}", "1.2.7")
    visitor.page.get_by_label("Report or words").fill(EFFUSION)
    visitor.page.get_by_role("button", name="Find similar cases").click()
    visitor.sees("Priors of this patient")
    visitor.page.get_by_text("✗ pleural effusion").first.wait_for()
    for name, button in (
        ("findings.dcm", "DICOM SR, findings (TID 1500)"),
        ("report.dcm", "DICOM SR, text"),
        ("fhir-r5.json", "FHIR R5"),
        ("fhir-r4.json", "FHIR R4"),
    ):
        with visitor.page.expect_download() as saving:
            visitor.page.get_by_role("button", name=button).click()
        assert saving.value.suggested_filename == name
        file = Path(saving.value.path())
        if name.endswith(".dcm"):
            assert dcmread(file).StudyInstanceUID == "1.2.7"
        else:
            assert json.loads(file.read_text())["resourceType"] == "Bundle"
    visitor.page.get_by_role("button", name="Heat map").first.click()
    visitor.page.get_by_alt_text("Heat map of the resemblance").wait_for(timeout=60_000)
    with visitor.page.expect_download() as saving:
        visitor.page.get_by_role("button", name="Save as Secondary Capture").click()
    assert dcmread(saving.value.path()).Modality == "OT"
    assert visitor.barriers() == []
    assert visitor.complaints == []


def test_a_match_is_kept_on_the_worklist_and_read(room, visit):
    visitor = visit(f"{room}/pages/medical")
    visitor.sees("Nothing is unread.")
    visitor.page.get_by_label("Report or words").fill("Cardiomegaly.")
    visitor.page.get_by_role("button", name="Find, and keep on the worklist").click()
    visitor.page.locator(".work button").click()
    visitor.sees("Nothing is unread.")
    visitor.page.get_by_label("Those that were read, too").check()
    visitor.page.get_by_text("read by").wait_for()
    assert visitor.barriers() == []


def test_files_that_are_no_study_are_told(room, visit, study, tmp_path):
    visitor = visit(f"{room}/pages/medical")
    noise = tmp_path / "not.dcm"
    noise.write_text("hello")
    opened(visitor, str(noise))
    visitor.page.get_by_role("alert").get_by_text("there is no picture in it").wait_for()
    false = tmp_path / "text.jpg"
    false.write_text("hello")
    opened(visitor, str(false))
    visitor.page.get_by_role("alert").get_by_text("text.jpg is no picture").wait_for()
    assert visitor.page.get_by_role("button", name="Find similar cases").is_disabled()
    other = tmp_path / "other.dcm"
    other.write_bytes(written(image(PatientID="P8", StudyInstanceUID="1.2.7")))
    opened(visitor, [*study, str(other)])
    visitor.page.get_by_role("alert").get_by_text("the files are of 2 patients").wait_for()
    visitor.page.get_by_label("Report or words").fill("Words on another study.")
    opened(visitor, [*study, str(noise)])
    visitor.sees("Files left out: 1 (the file is not DICOM")
    assert visitor.page.get_by_label("Report or words").input_value() == "Words on another study."
    opened(visitor, study)
    visitor.sees("3 files")
    assert visitor.page.get_by_label("Report or words").input_value() == ""


def test_every_word_is_there_in_chinese(room, visit):
    page = Path(tiepoint_medical.plugin.__file__).parent / "page"
    assert untranslated(page) == []
    visitor = visit(f"{room}/pages/medical", language="zh-CN", dark=True, phone=True)
    visitor.sees("打开一项检查，或写下所见")
    visitor.page.get_by_label("报告或文字").fill("右侧胸腔积液。")
    visitor.page.get_by_role("button", name="查找相似病例").click()
    visitor.page.get_by_text("✓ 胸腔积液").first.wait_for()
    shown = visitor.page.locator(".found").bounding_box()
    assert 0 <= shown["y"] < 422  # what was found comes into view, above the worklist
    assert shown["y"] < visitor.page.locator(".waiting").bounding_box()["y"]
    visitor.sees("不得单独用于临床决策")
    assert visitor.barriers() == []
