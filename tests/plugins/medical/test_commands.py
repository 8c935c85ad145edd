"""The commands of the archive, run as a user runs them: what is refused, and beside a service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from tests.adapters.dicom.objects import written
from tests.command_line import tiepoint
from tests.plugins.medical.test_matching import DEPLOYMENT, archive, striped_slice
from tiepoint import Host


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(DEPLOYMENT, encoding="utf-8")
    return file


def test_ingest_goes_through_the_process_that_holds_the_store(tmp_path, config):
    (tmp_path / "in").mkdir()
    for number in range(3):
        one = striped_slice(number, PatientID="P5", AccessionNumber="ACC5")
        (tmp_path / "in" / f"{number}").write_bytes(written(one))
    (tmp_path / "in" / "ACC5.txt").write_text("Large pericardial effusion.")
    with Host.from_config(config) as host:
        host.start()
        service = host.plugin("medical").service
        service.ingest(archive())
        done = tiepoint("medical", "ingest", config, tmp_path / "in", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["added"] == 1
        [hit] = service.match(text="pericardial effusion", k=1).hits
        assert hit.patient == service.pseudonyms("patient", "P5")
        asked = tiepoint("medical", "match", config, "--text", "effusion")
        assert asked.returncode == 2
        assert "POST /v1/medical/match" in asked.stderr
        waiting = tiepoint("medical", "worklist", config, "--json")
        assert json.loads(waiting.stdout) == {"matches": []}


def test_an_empty_folder_is_wrong_input(tmp_path, config):
    (tmp_path / "in").mkdir()
    for words in (("ingest", config, tmp_path / "in"), ("deid", tmp_path / "in", tmp_path / "out")):
        done = tiepoint("medical", *words)
        assert done.returncode == 2
        assert "in: the folder holds no file" in done.stderr


def test_one_named_file_that_is_no_dicom_is_wrong_input(tmp_path):
    (tmp_path / "zero.jpg").touch()
    listing = tmp_path / "list.json"
    done = tiepoint(
        "medical", "show", tmp_path / "zero.jpg", "--out", tmp_path / "png", "--json", listing
    )
    assert done.returncode == 2
    assert "zero.jpg: the file is empty" in done.stderr
    [entry] = json.loads(listing.read_text())
    assert not entry["ok"]


def test_what_is_no_hash_is_no_broken_log(config):
    done = tiepoint("medical", "audit", config, "--verify", "--head", "zzz")
    assert done.returncode == 2
    assert "64 hexadecimal digits" in done.stderr
    other = tiepoint("medical", "audit", config, "--verify", "--head", "ab" * 32)
    assert other.returncode == 1


def test_the_password_of_the_database_is_not_shown(config):
    url = "postgresql://medical:swordfish@127.0.0.1:1/records"
    config.write_text(DEPLOYMENT.replace("./state}", f'./state, database: "{url}"}}'))
    assert "swordfish" not in repr(Host.from_config(config).plugin("medical").config)
    done = tiepoint("medical", "audit", config)
    assert done.returncode == 1
    assert "swordfish" not in done.stdout + done.stderr


def test_a_file_in_a_syntax_that_is_somebody_s_own_is_named_for_it(tmp_path):
    content = bytearray(Path(get_testdata_file("CT_small.dcm")).read_bytes())
    at = content.index(b"1.2.840.10008.1.2.1\0")
    content[at : at + 20] = b"1.3.6.1.4.1.999.1.1\0"
    (tmp_path / "own.dcm").write_bytes(content)
    done = tiepoint("medical", "show", tmp_path / "own.dcm", "--out", tmp_path / "png")
    assert done.returncode == 2
    assert "the transfer syntax is private" in done.stderr
