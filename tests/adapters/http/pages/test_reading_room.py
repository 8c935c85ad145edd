"""The page Reading room, on the test files of pydicom."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

import tiepoint_medical.plugin
from tests.adapters.http.pages.conftest import listening
from tests.adapters.http.pages.test_frame import untranslated
from tests.plugins.medical.test_matching import DEPLOYMENT
from tiepoint import Host
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.rendering import render
from tiepoint_medical.archive.incoming import Incoming

REPORTS = {
    "MR_small.dcm": "MR of the brain. No mass. No edema.",
    "CT_small.dcm": "Small right pleural effusion. No pneumothorax.",
}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    config = tmp_path_factory.mktemp("room") / "deploy.yaml"
    config.write_text(DEPLOYMENT, encoding="utf-8")
    host = Host.from_config(config)
    cases = [
        Incoming(
            place=name,
            patient=name,
            study=name,
            image_id=name,
            image=render(read_dicom(get_testdata_file(name, download=False))),
            report=report,
            identifiers=(),
        )
        for name, report in REPORTS.items()
    ]
    with listening(host) as address:
        host.plugin("medical").service.ingest(cases)
        yield address


def test_an_object_is_opened_windowed_and_matched_with_what_must_be_said(room, visit):
    visitor = visit(f"{room}/pages/medical")
    visitor.page.locator("#image").set_input_files(
        get_testdata_file("CT_small.dcm", download=False)
    )
    picture = visitor.page.get_by_alt_text("Frame 1 of 1")
    picture.wait_for()
    first = picture.get_attribute("src")
    visitor.page.get_by_label("Window").focus()
    visitor.page.keyboard.press("PageUp")
    visitor.page.wait_for_timeout(1500)
    assert picture.get_attribute("src") != first
    visitor.page.get_by_label("Report or words").fill("pleural effusion")
    visitor.page.get_by_role("button", name="Find similar cases").click()
    visitor.page.locator(".cases .card").first.wait_for(timeout=40_000)
    visitor.sees("Decision support")
    visitor.sees("Small right pleural effusion")
    assert visitor.barriers() == []
    assert visitor.complaints == []


def test_a_file_that_is_no_image_is_told(room, visit, tmp_path):
    file = tmp_path / "not.dcm"
    file.write_text("hello")
    visitor = visit(f"{room}/pages/medical")
    visitor.page.locator("#image").set_input_files(str(file))
    visitor.page.get_by_role("alert").wait_for()


def test_every_word_is_there_in_chinese():
    page = Path(tiepoint_medical.plugin.__file__).parent / "page"
    assert untranslated(page) == []
