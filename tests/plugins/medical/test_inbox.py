"""A listener's inbox, taken in while the plugin runs."""

from __future__ import annotations

import pytest

from tests.adapters.dicom.objects import written
from tests.plugins.medical.test_matching import DEPLOYMENT, striped_slice
from tiepoint import Host
from tiepoint_medical.archive import inbox, studies
from tiepoint_medical.service import service_of


@pytest.fixture
def service(tmp_path):
    config = tmp_path / "deploy.yaml"
    config.write_text(DEPLOYMENT, encoding="utf-8")
    with Host.from_config(config) as host:
        made = service_of(config, host)
        yield made
        made.close()


def test_only_the_study_that_something_came_for_is_read_again(tmp_path, service, monkeypatch):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for patient in ("P1", "P2"):
        for number in range(2):
            one = striped_slice(
                number, PatientID=patient, StudyInstanceUID=f"1.2.{patient[1]}",
                SeriesInstanceUID=f"1.2.{patient[1]}.1",
                AccessionNumber=f"ACC{patient[1]}",
            )  # fmt: skip
            (folder / f"{patient}-{number}").write_bytes(written(one))
    (folder / "ACC9.txt").write_text("Nobody's.")
    intake = inbox.InboxIntake(service, folder, 60)
    assert [intake.look() for _ in range(3)] == [False, True, False]
    assert len(service.matcher.collection) == 2
    assert intake.left_out == 1
    opened = []
    reading = studies.read_dicom
    monkeypatch.setattr(
        studies, "read_dicom", lambda file, **how: opened.append(file.name) or reading(file, **how)
    )
    (folder / "ACC2.txt").write_text("Large pericardial effusion.")
    assert [intake.look() for _ in range(3)] == [False, True, False]
    assert sorted(opened) == ["P2-0", "P2-1"]
    [hit] = service.match(text="pericardial effusion", k=1).hits
    assert hit.patient == service.pseudonyms("patient", "P2")
    assert intake.left_out == 1
    nine = striped_slice(
        1, PatientID="P9", StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1",
        AccessionNumber="ACC9",
    )  # fmt: skip
    (folder / "P9").write_bytes(written(nine))
    assert [intake.look() for _ in range(2)] == [False, True]
    assert intake.left_out == 0
    assert len(service.matcher.collection) == 3
