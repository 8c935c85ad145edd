"""Studies from another archive into ours, and results back to it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from tests.adapters.dicom.objects import written
from tests.adapters.dicom.peers import dcmqrscp, needs, orthanc
from tests.command_line import tiepoint
from tests.plugins.medical.test_matching import DEPLOYMENT, EFFUSION, archive, striped_slice
from tiepoint import Host
from tiepoint.errors import InputError
from tiepoint_adapters.dicom import read_dicom
from tiepoint_adapters.dicom.network.archives import archive_at
from tiepoint_adapters.dicom.network.inbox import Inbox
from tiepoint_adapters.dicom.network.listener import DicomListener
from tiepoint_adapters.dicom.network.peer import Peer
from tiepoint_adapters.dicom.network.web import WebArchive
from tiepoint_adapters.dicom.values import text_of
from tiepoint_medical.results.fhir import validated
from tiepoint_medical.service import service_of


def test_an_address_tells_how_an_archive_is_spoken_to(monkeypatch):
    monkeypatch.setenv("TIEPOINT_ARCHIVE_TOKEN", "secret")
    web = archive_at("https://ann@pacs:8443/dicom-web/")
    assert isinstance(web, WebArchive)
    assert web.url == "https://pacs:8443/dicom-web"
    node = archive_at("dicom://OLD%20PACS@10.0.0.1:104")
    assert isinstance(node, Peer)
    assert (node.ae_title, node.host, node.port) == ("OLD PACS", "10.0.0.1", 104)


@pytest.mark.parametrize(
    "address", ["pacs", "ftp://pacs/", "dicom://pacs:104", "https://ann:secret@pacs/", "http://[x"]
)
def test_what_names_no_archive_is_refused_without_telling_a_password(address):
    with pytest.raises(InputError, match="names no archive") as refused:
        archive_at(address)
    assert "secret" not in str(refused.value)


def test_a_running_plugin_takes_in_what_a_listener_kept(tmp_path):
    config = tmp_path / "deploy.yaml"
    options = "{state: ./state, inbox: ./inbox, inbox_every_s: 0.2}"
    config.write_text(DEPLOYMENT.replace("{state: ./state}", options), encoding="utf-8")
    box = Inbox(tmp_path / "inbox")
    with Host.from_config(config) as host:
        host.start()
        plugin = host.plugin("medical")
        with DicomListener(box, port=0) as listener:
            series = [striped_slice(number, PatientID="P7") for number in range(3)]
            sent = [read_dicom(one) for one in series]
            assert Peer("127.0.0.1", listener.port, "TIEPOINT").store(sent) == 3
        (box.folder / "broken.dcm").write_bytes(b"noise")
        end = time.monotonic() + 60
        while not plugin.health()["inbox"]["left_out"] and time.monotonic() < end:
            time.sleep(0.1)
        assert plugin.health()["inbox"] == {"problem": None, "left_out": 1, "warnings": {}}
        assert len(host.collection("cases")) == 1


def filled(folder: Path) -> Path:
    """Return a deployment whose archive has cases."""
    config = folder / "deploy.yaml"
    config.write_text(DEPLOYMENT, encoding="utf-8")
    with Host.from_config(config) as host:
        service = service_of(config, host)
        service.ingest(archive())
        service.close()
    return config


@needs("storescu", "dcmqrscp")
def test_a_study_is_fetched_matched_and_its_result_is_stored(tmp_path):
    config = filled(tmp_path)
    study = tmp_path / "study"
    study.mkdir()
    for number in range(4):
        one = striped_slice(number, PatientID="P7", StudyID="1", PatientBirthDate="")
        one.StudyDate = one.StudyTime = one.PatientSex = one.ReferringPhysicianName = ""
        one.AccessionNumber, one.SeriesNumber, one.InstanceNumber = "", 1, number
        (study / f"{number}.dcm").write_bytes(written(one))
    results = Inbox(tmp_path / "results")
    with (
        DicomListener(results, port=0) as listener,
        dcmqrscp(tmp_path, ("TIEPOINT", listener.port)) as port,
    ):
        words = ["storescu", "-aec", "ARCHIVE", "127.0.0.1", str(port), "+sd", str(study)]
        subprocess.run(words, check=True, capture_output=True)
        done = tiepoint(
            "medical", "ingest", str(config), "--from", f"dicom://ARCHIVE@127.0.0.1:{port}",
            "--find", "PatientID=P7", "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["added"] == 1
        done = tiepoint(
            "medical", "draft", str(config), "--image", str(study), "--text", EFFUSION,
            "--results", str(tmp_path / "out"),
            "--send", f"dicom://TIEPOINT@127.0.0.1:{listener.port}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    stored = [read_dicom(path) for path in results.files()]
    assert {one.modality for one in stored} == {"SR"}
    assert {one.uid("StudyInstanceUID") for one in stored} == {"1.2.3"}
    assert len(stored) == 2


def complaints(content: bytes, folder: Path) -> list[str]:
    """Return what dciodvfy calls errors."""
    file = folder / "checked.dcm"
    file.write_bytes(content)
    checked = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    return [line for line in checked.stderr.splitlines() if line.startswith("Error")]


@needs("Orthanc", "dciodvfy")
def test_a_draft_on_a_patient_s_study_goes_back_to_the_archive_beside_it(tmp_path):
    config = filled(tmp_path)
    study = Path(get_testdata_file("CT_small.dcm")).parent / "dicomdirtests" / "98892001" / "CT5N"
    (tmp_path / "db").mkdir()
    with orthanc(tmp_path) as (_, http):
        there = WebArchive(f"http://127.0.0.1:{http}/dicom-web")
        kept = [read_dicom(file) for file in sorted(study.iterdir())]
        there.store(kept)
        done = tiepoint(
            "medical", "draft", config, "--image", study, "--text", EFFUSION,
            "--results", tmp_path / "out", "--send", there.url,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        back = Inbox(tmp_path / "back")
        there.fetch_study(str(kept[0].uid("StudyInstanceUID")), back)
    found = [read_dicom(file) for file in back.files()]
    assert sorted({one.class_name for one in found}) == [
        "Basic Text SR Storage", "CT Image Storage", "Comprehensive SR Storage",
    ]  # fmt: skip
    assert {text_of(one.dataset, "PatientID") for one in found} == {"98890234"}
    for name in ("findings.dcm", "report.dcm"):
        assert complaints((tmp_path / "out" / name).read_bytes(), tmp_path) == []
    for release in ("R5", "R4"):
        bundle = json.loads((tmp_path / "out" / f"fhir-{release.lower()}.json").read_text())
        assert validated(bundle, release)["entry"]
