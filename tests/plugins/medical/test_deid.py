"""De-identification against planted identifiers, the profile's table and dciodvfy."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info

from tests.command_line import tiepoint
from tests.plugins.medical.deid_oracle import leaks, violations
from tests.plugins.medical.planted import COUNT, DIGEST, Planted, corpus, digest
from tiepoint.errors import InputError
from tiepoint_adapters.dicom import read_dicom
from tiepoint_medical.deid.engine import deidentify
from tiepoint_medical.deid.identities import Identities
from tiepoint_medical.deid.options import Dates, DeidOptions
from tiepoint_medical.deid.vault import SCOPE, Vault

SECRET = Identities(b"a secret of the tests, long enough")
PASSPHRASE = "a long passphrase"  # noqa: S105
DATA = Path(os.environ.get("TIEPOINT_DATA", Path(__file__).parents[3].parent / "shared/data"))
PICTURES = DATA / "covid_cxr"
needs_pictures = pytest.mark.skipif(
    not PICTURES.is_dir(), reason="the shared pictures are not here (TIEPOINT_DATA)"
)


def made(planted: Planted, **options):
    part = read_dicom(planted.content)
    done = deidentify(part, SECRET, DeidOptions(**options))
    stream = io.BytesIO()
    done.dataset.save_as(stream, enforce_file_format=True)
    return part, done, stream.getvalue()


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Planted objects on pictures that are made here."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(5)
    for number in range(3):
        noise = rng.integers(30, 90, (20, 20), np.uint8)
        Image.fromarray(noise).resize((320, 300)).save(folder / f"{number}.png")
    return list(corpus(folder, 48))


@needs_pictures
def test_the_corpus_is_the_one_that_was_fixed():
    assert digest(corpus(PICTURES)) == DIGEST
    assert COUNT >= 500


OPTIONS = [
    {},
    {"dates": Dates.SHIFT},
    {"descriptors": True, "structured_content": True},
    {"patient_characteristics": True, "device": True, "descriptors": True},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_nothing_planted_is_left_in_the_bytes_of_a_file(few, options):
    for planted in few:
        _, done, content = made(planted, **options)
        pixels = done.dataset.get("PixelData", b"")
        header = content.replace(pixels, b"") if pixels else content
        assert leaks(header, planted.identity.strings()) == []


def test_the_profile_is_kept_in_every_element(few):
    for planted in few:
        part, done, _ = made(planted)
        assert violations(part.dataset, done.dataset) == []


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small.dcm", "test-SR.dcm", "rtplan.dcm", "rtstruct.dcm",
     "waveform_ecg.dcm", "nested_priv_SQ.dcm", "examples_overlay.dcm", "liver_1frame.dcm"],
)  # fmt: skip
def test_the_profile_is_kept_on_objects_of_the_wild(name):
    part = read_dicom(get_testdata_file(name))
    before = dcmread(get_testdata_file(name), force=True)
    assert violations(before, deidentify(part, SECRET).dataset) == []
    assert part.dataset == before


def test_a_study_keeps_together_and_its_dates_keep_their_distances(few):
    first, second = few[0], few[1]
    _, one, _ = made(first, dates=Dates.SHIFT)
    _, two, _ = made(second, dates=Dates.SHIFT)
    assert one.dataset.StudyInstanceUID == two.dataset.StudyInstanceUID != first.uids[0]
    assert one.dataset.SeriesInstanceUID != two.dataset.SeriesInstanceUID
    assert one.patient == two.patient == one.dataset.PatientID
    assert one.dataset.StudyDate == two.dataset.StudyDate != first.identity.study_date
    assert one.dataset.AcquisitionDateTime.startswith(one.dataset.StudyDate)
    assert one.dataset.file_meta.MediaStorageSOPInstanceUID == one.dataset.SOPInstanceUID
    codes = [item.CodeValue for item in one.dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113107"]


def test_references_between_objects_still_lead_where_they_led():
    scout = dcmread(get_testdata_file("CT_small.dcm"))
    image = dcmread(get_testdata_file("CT_small.dcm"))
    image.SOPInstanceUID = "1.2.3.4.5.6"
    reference = Dataset()
    reference.ReferencedSOPClassUID = scout.SOPClassUID
    reference.ReferencedSOPInstanceUID = scout.SOPInstanceUID
    image.ReferencedImageSequence = [reference]
    one, two = (deidentify(read_dicom(part), SECRET).dataset for part in (scout, image))
    [kept] = two.ReferencedImageSequence
    assert kept.ReferencedSOPInstanceUID == one.SOPInstanceUID != scout.SOPInstanceUID
    assert kept.ReferencedSOPClassUID == scout.SOPClassUID


def test_other_secrets_give_other_pseudonyms(few):
    other = Identities(b"another secret of the tests, as long")
    assert deidentify(read_dicom(few[0].content), other).patient != made(few[0])[1].patient


def test_cleaned_descriptions_and_reports_keep_what_is_medical(few):
    report = next(one for one in few if one.ink is None)
    _, done, content = made(report, descriptors=True, structured_content=True)
    assert b"no effusion" in content
    assert done.dataset.StudyDescription.startswith("Chest of REDACTED")
    _, _, strict = made(report)
    assert b"no effusion" not in strict


def test_codes_are_not_taken_for_numbers_of_patients():
    part = read_dicom(get_testdata_file("test-SR.dcm"))
    done = deidentify(part, SECRET, DeidOptions(structured_content=True))
    before = re.findall(r"Code Value\s+SH: '([^']+)'", str(part.dataset))
    assert before
    after = re.findall(r"Code Value\s+SH: '([^']+)'", str(done.dataset.ContentSequence))
    assert set(after) <= set(before)


def test_the_very_old_are_not_told_apart():
    dataset = dcmread(get_testdata_file("CT_small.dcm"))
    dataset.PatientAge = "101Y"
    done = deidentify(read_dicom(dataset), SECRET, DeidOptions(patient_characteristics=True))
    assert done.dataset.PatientAge == "090Y"


def test_a_document_is_refused():
    dataset = dcmread(get_testdata_file("CT_small.dcm"))
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    with pytest.raises(InputError, match="document"):
        deidentify(read_dicom(dataset), SECRET)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "test-SR.dcm",
        "reportsi.dcm",
        "liver_1frame.dcm",
        "waveform_ecg.dcm",
    ],
)
@pytest.mark.parametrize("options", [{}, {"dates": Dates.SHIFT, "structured_content": True}])
def test_dciodvfy_finds_no_new_error(tmp_path, name, options):
    done = deidentify(read_dicom(get_testdata_file(name)), SECRET, DeidOptions(**options))
    after = tmp_path / "after.dcm"
    done.dataset.save_as(after, enforce_file_format=True)
    new = errors(after) - errors(Path(get_testdata_file(name)))
    assert not new


def errors(file: Path) -> set[str]:
    checked = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    lines = [line for line in checked.stderr.splitlines() if line.startswith("Error")]
    return {re.sub(r"\d+(\.\d+)*|[<=].*|value.*", "", line).strip() for line in lines}


def test_the_vault_gives_back_what_was_replaced_and_says_who_asked(tmp_path, few):
    _, done, _ = made(few[0])
    path = tmp_path / "vault.db"
    with Vault(path, "a long passphrase") as vault:
        vault.remember(done)
        restored = vault.restore(done.dataset, "dr.who", {SCOPE})
        assert restored.PatientID == few[0].identity.patient_id
        assert restored.StudyInstanceUID == few[0].uids[0]
        assert restored.SOPInstanceUID == few[0].uids[2]
        assert "PatientIdentityRemoved" not in restored
        assert [look["user"] for look in vault.looks()] == ["dr.who"]
        with pytest.raises(InputError, match="does not know"):
            vault.patient("TP-NOBODY", "dr.who", {SCOPE})
        with pytest.raises(InputError, match="may not see"):
            vault.patient(done.patient, "dr.no", {"medical:read"})
    assert leaks(path.read_bytes(), [*few[0].identity.strings(), few[0].uids[0]]) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="passphrase is not the one"):
        Vault(path, "another passphrase")


def test_the_command_leaves_out_what_it_cannot_do_and_goes_on(tmp_path, few):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for planted in few[:8]:
        (source / planted.name).write_bytes(planted.content)
    (source / f"{few[0].identity.family}.txt").write_text("not DICOM")
    words = (
        "medical", "deid", source, out, "--secret", tmp_path / "secret", "--no-pixels",
        "--vault", tmp_path / "vault.db", "--report", tmp_path / "report.json",
    )  # fmt: skip
    first = tiepoint(*words, TIEPOINT_VAULT_PASSPHRASE=PASSPHRASE)
    assert first.returncode == 0, first.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["written"], report["studies"], len(report["left_out"])) == (8, 4, 1)
    assert report["left_out"][0]["reason"] == "the file is not DICOM"
    everything = (tmp_path / "report.json").read_bytes() + first.stdout.encode()
    everything += first.stderr.encode() + "\n".join(map(str, out.rglob("*"))).encode()
    identifiers = [text for planted in few[:8] for text in planted.identity.strings()]
    assert leaks(everything, identifiers) == []
    again = tiepoint(*words, "--json", TIEPOINT_VAULT_PASSPHRASE=PASSPHRASE)
    assert json.loads(again.stdout)["present"] == 8
    assert json.loads(again.stdout)["written"] == 0


def test_a_target_inside_the_source_is_refused(tmp_path):
    done = tiepoint("medical", "deid", tmp_path, tmp_path / "out", "--secret", tmp_path / "s")
    assert done.returncode == 2
    assert "lies in the source" in done.stderr


def test_elements_of_a_message_are_no_part_of_the_object():
    dataset = dcmread(get_testdata_file("MR_small.dcm"))
    dataset.add_new(0x00000800, "US", 1)
    stream = io.BytesIO()
    stream.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(stream, dataset.file_meta)
    body = DicomBytesIO()
    body.is_little_endian, body.is_implicit_VR = True, False
    write_dataset(body, dataset)
    part = read_dicom(stream.getvalue() + body.getvalue())
    assert 0x00000800 in part.dataset
    done = deidentify(part, SECRET).dataset
    done.save_as(stream, enforce_file_format=True)
    assert 0x00000800 not in done
