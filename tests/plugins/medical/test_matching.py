"""From cases in to matches, drafts, the worklist and the log: no identifier stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from tests.adapters.dicom.objects import image, written
from tests.adapters.dicom.test_hl7 import message
from tests.adapters.dicom.test_series import ct_slice
from tiepoint import Host
from tiepoint.errors import ConfigError, InputError, QueryError
from tiepoint.types import Skipped
from tiepoint_medical.archive.asking import query_of
from tiepoint_medical.archive.incoming import Incoming, from_studies
from tiepoint_medical.archive.pseudonyms import Pseudonyms
from tiepoint_medical.archive.studies import Study, read_studies
from tiepoint_medical.archive.writing import IngestReport
from tiepoint_medical.deid.scrubbing import Scrubber, words_of
from tiepoint_medical.encoders.long_text import pieces
from tiepoint_medical.knowledge.vocabulary import chest_vocabulary
from tiepoint_medical.matching.batch import match_studies
from tiepoint_medical.matching.occlusion import heat_map, occlusion
from tiepoint_medical.records.database import Database
from tiepoint_medical.records.records import Records
from tiepoint_medical.reports.report import ReportReader
from tiepoint_medical.service import MedicalService, service_of

DEPLOYMENT = """
version: 1
encoders:
  pictures: {type: volume, frames: {type: edges}}
store: {uri: ./store}
collections:
  cases:
    fields:
      image: {encoder: pictures}
      report: {words: true}
      findings: {dimensions: 61}
    metadata:
      {patient: string, study: string, present: strings, absent: strings, uncertain: strings}
plugins:
  medical: {state: ./state}
"""
EFFUSION = "Large left pleural effusion. Cardiomegaly."
CLEAR = "No pleural effusion. No pneumothorax. The heart is normal."
NODULE = "A nodule in the right upper lobe may represent a granuloma."


def picture(seed: int, kind: int) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(60, 110, (96, 96), np.uint8)
    if kind == 0:
        pixels[60:, :] = 230
    if kind == 1:
        pixels[:, ::8] = 200
    return pixels


def archive() -> Iterator[Incoming]:
    texts = [EFFUSION, CLEAR, NODULE]
    for number in range(9):
        report = f"{texts[number % 3]} Seen by Dr. Miller on 2020-03-04, {number} Doe."
        yield Incoming(
            f"f{number}",
            f"MRN{number}",
            f"1.2.{number}",
            f"1.2.{number}.1",
            picture(number, number % 3),
            report,
            (f"Doe^Jane{number}", f"MRN{number}"),
        )


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MedicalService]:
    folder = tmp_path_factory.mktemp("medical")
    config = folder / "deploy.yaml"
    config.write_text(DEPLOYMENT, encoding="utf-8")
    with Host.from_config(config) as host:
        made = service_of(config, host)
        assert made.ingest(archive()).added == 9
        yield made
        made.close()


def test_a_batch_goes_on_where_it_ended(service: MedicalService) -> None:
    more = Incoming("f10", "MRN10", "1.2.10", "1.2.10.1", picture(10, 1), CLEAR)
    report = service.ingest([*archive(), more, Skipped("x", "not DICOM")])
    assert (report.added, report.known, len(report.skipped)) == (1, 9, 1)


def test_negated_findings_do_not_answer_and_are_shown_as_contradictions(
    service: MedicalService,
) -> None:
    found = service.match(text="Pleural effusion on the left.", k=9)
    assert found.query == {"pleural_effusion": "present"}
    assert "pleural_effusion" in found.hits[0].supports
    assert found.hits[0].sentences[0].startswith("Large left pleural effusion")
    against = [hit for hit in found.hits if "pleural_effusion" in hit.contradicts]
    assert against
    best = max(found.hits.index(hit) for hit in found.hits if hit.supports)
    assert best < min(found.hits.index(hit) for hit in against)


def test_an_image_finds_other_patients_and_its_own_are_priors(service: MedicalService) -> None:
    found = service.match(image=picture(0, 0), patient="MRN0", study="1.2.none", k=5)
    own = service.pseudonyms("patient", "MRN0")
    assert own not in {hit.patient for hit in found.hits}
    assert {hit.patient for hit in found.priors} == {own}
    assert len({hit.patient for hit in found.hits}) == len(found.hits)
    assert found.expected
    without = service.match(image=picture(0, 0), patient="MRN0", study="1.2.0", k=5)
    assert not without.priors


def test_every_sentence_of_a_draft_cites_a_case_that_has_it(service: MedicalService) -> None:
    found = service.match(text=EFFUSION, k=6)
    draft = service.draft(found)
    reports = {hit.case: hit.report for hit in found.hits}
    assert draft.status == "unverified"
    assert draft.sentences
    for sentence in draft.sentences:
        assert sentence.text in reports[sentence.case]
        assert sentence.support >= 2


def test_without_a_calibration_there_is_no_probability(service: MedicalService) -> None:
    found = service.match(text=EFFUSION)
    assert found.probability is None
    assert "not calibrated" in str(found.reason)
    with pytest.raises(InputError, match="cases have a report"):
        service.calibrate()


def test_nothing_that_names_a_patient_is_stored(service: MedicalService) -> None:
    folder = Path(str(service.config.state)).parent
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "deploy.yaml":
            content = file.read_bytes()
            for secret in (b"MRN3", b"Miller", b"Jane3", b"2020-03-04", b"1.2.3.1"):
                assert secret not in content, (file, secret)


def test_matches_wait_until_they_are_read_and_all_is_logged(service: MedicalService) -> None:
    service.match(text=NODULE, keep=True)
    [waiting] = service.records.worklist()
    assert service.records.read_match(waiting["id"], "reader")["hits"]
    assert not service.records.worklist()
    actions = [line["action"] for line in service.records.audit()]
    assert {"ingested", "matched", "read"} <= set(actions)
    assert service.records.verify().intact
    with pytest.raises(InputError, match="no such match"):
        service.records.read_match("none", "reader")


def test_nothing_to_match_is_refused(service: MedicalService) -> None:
    with pytest.raises(QueryError, match="nothing to match"):
        service.match(text="  ")


def test_a_heat_map_shows_what_the_encoder_reacted_to(service: MedicalService) -> None:
    encoder = service.host.encoder("pictures")
    image = picture(0, 0)
    target = encoder.encode([image], "image")[0]
    drops = occlusion(encoder, image, target, cells=4)
    assert drops.shape == (4, 4)
    assert drops.max() > 0
    assert heat_map(image, drops).startswith(b"\x89PNG")


def test_a_changed_log_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite3"
    records = Records(Database.in_file(file))
    for action in ("a", "b", "c"):
        records.note("me", action, "subject", {})
    assert records.verify().intact
    records.close()
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE medical_audit SET user = 'you' WHERE number = 2")
    assert records.verify().broken_at == 2
    records.close()


def test_a_collection_for_something_else_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "deploy.yaml"
    config.write_text(DEPLOYMENT.replace("61", "12"), encoding="utf-8")
    with Host.from_config(config) as host, pytest.raises(ConfigError, match="61 findings"):
        service_of(config, host)


def striped_slice(number: int, **elements: Any) -> FileDataset:
    pixels = np.full((96, 96), 40, np.uint8)
    pixels[:, number :: 5 + number] = 220
    return ct_slice(0, number, Rows=96, Columns=96, PixelData=pixels.tobytes(), **elements)


def test_a_series_is_one_case_and_its_report_may_come_later(
    service: MedicalService, tmp_path: Path
) -> None:
    for number in range(5):
        one = striped_slice(number, PatientID="P77", AccessionNumber="ACC7")
        (tmp_path / f"{number}.dcm").write_bytes(written(one))
    scout = ct_slice(9, 0, PatientID="P77", ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    (tmp_path / "scout.dcm").write_bytes(written(scout))

    def take() -> IngestReport:
        return service.ingest(from_studies(read_studies(tmp_path)), "series")

    assert (take().added, take().known) == (2, 2)
    spoken = message(text="Small pericardial effusion, says Anna Miller.").replace("|P1^", "|P77^")
    (tmp_path / "report.hl7").write_bytes(spoken.encode())
    assert (take().added, take().known) == (2, 2)
    found = service.match(text="pericardial effusion", k=1).hits[0]
    assert found.report == "Small pericardial effusion, says REDACTED REDACTED."
    # The slices of another patient's series find it, pooled as it is.
    (tmp_path / "other").mkdir()
    for number in range(5):
        one = striped_slice(4 - number, PatientID="P78")
        (tmp_path / "other" / str(number)).write_bytes(written(one))
    asked = query_of(tmp_path / "other")
    assert asked.patient == "P78"
    assert service.match(image=asked.image, patient="P78", k=1).hits[0].patient == found.patient


def test_studies_that_share_identifiers_are_kept_apart_and_told(
    service: MedicalService, tmp_path: Path
) -> None:
    for patient in ("P91", "P92"):
        for number in range(2):
            one = striped_slice(number, PatientID=patient, StudyInstanceUID=f"1.2.{patient[1:]}")
            (tmp_path / f"{patient}-{number}").write_bytes(written(one))
    before = len(service.matcher.collection)
    report = service.ingest(from_studies(read_studies(tmp_path)), "shared")
    assert (report.added, len(service.matcher.collection)) == (2, before + 2)
    assert report.warnings == {
        "a series identifier is used by several studies, which are kept apart": 2
    }


def test_a_batch_of_studies_goes_on_after_a_kill(service: MedicalService, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "matches.jsonl"
    folder.mkdir()
    for number in range(3):
        one = striped_slice(number, PatientID=f"P9{number}", StudyInstanceUID=f"1.2.9{number}")
        (folder / f"{number}.dcm").write_bytes(written(one))
    first = match_studies(service, folder, out, 2, keep=False)
    assert (first.matched, first.known, first.skipped) == (3, 0, [])
    lines = out.read_text().splitlines()
    assert len({json.loads(line)["study"] for line in lines}) == 3
    assert "P91" not in out.read_text()
    out.write_text("\n".join([*lines[:2], lines[2][:50]]))
    again = match_studies(service, folder, out, 2, keep=False)
    assert (again.matched, again.known) == (1, 2)
    assert [json.loads(line)["study"] for line in out.read_text().splitlines()] == [
        json.loads(line)["study"] for line in lines
    ]
    out.write_text("something else")
    with pytest.raises(InputError, match="cannot take"):
        match_studies(service, folder, out, 2, keep=False)
    assert out.read_text() == "something else"


def test_reports_of_another_patient_and_preliminary_ones_do_not_hold(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(written(image(AccessionNumber="ACC7")))
    for name, status, text in (
        ("1", "C", "Corrected."),
        ("2", "P", "Early."),
        ("3", "F", "Final."),
    ):
        told = message(text=text, control=name)
        (tmp_path / f"{name}.hl7").write_bytes(
            told.replace("||||||||F\r", f"||||||||{status}\r").encode()
        )
    (tmp_path / "4.hl7").write_bytes(message(text="Other.").replace("|P1^", "|P2^").encode())
    found = list(read_studies(tmp_path))
    [study] = [one for one in found if isinstance(one, Study)]
    assert study.report == "Corrected."
    [skipped] = [one for one in found if isinstance(one, Skipped)]
    assert "another patient" in skipped.reason


def test_identifiers_in_reports_are_removed() -> None:
    text = Scrubber(words_of(["Smith^Anna=李^娜"])).scrub(
        "Mrs. Anna Smith, MRN: 12345, seen 03/04/2020 at 10:30 by DR. Lee. MR of the brain."
        " Call 555-123-4567. SMITH is well. 姓名：王伟。2020年3月4日。 患者李娜未见胸腔积液。",
    )
    for secret in (
        "Smith",
        "SMITH",
        "12345",
        "03/04/2020",
        "10:30",
        "Lee",
        "4567",
        "王伟",
        "3月4日",
        "李娜",
    ):
        assert secret not in text
    assert "MR of the brain" in text
    assert "未见胸腔积液" in text


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        (
            "Li^Wei",
            "Effusion in Li. LI is well. Li's liver.",
            "Effusion in X. X is well. X's liver.",
        ),
        ("NG^SIMON", "Ng has an NG tube.", "X has an NG tube."),
        ("No^Kim", "No effusion. Seen by No, Kim.", "No effusion. Seen by X, X."),
        ("He^An", "He has no nodule, an opacity. Then He left.", None),
    ],
)
def test_names_of_two_letters_are_removed_and_words_stay(name, text, left) -> None:
    expected = left or "He has no nodule, an opacity. Then X left."
    assert Scrubber(words_of([name])).scrub(text).replace("REDACTED", "X") == expected


def test_what_stands_for_a_name_changes_no_finding() -> None:
    reader = ReportReader(chest_vocabulary())
    for said in (
        Scrubber(frozenset()).scrub("Effusion, says Dr. Miller."),
        Scrubber(words_of(["Jo Miller"])).scrub("Effusion, says Miller."),
    ):
        assert "iller" not in said
        assert reader.read(said).profile == reader.read("Effusion, says he.").profile


def test_pseudonyms_are_the_site_s_own(tmp_path: Path) -> None:
    first = Pseudonyms.of_site(tmp_path / "a" / "site.key")
    again = Pseudonyms.of_site(tmp_path / "a" / "site.key")
    other = Pseudonyms.of_site(tmp_path / "b" / "site.key")
    assert first("patient", "x") == again("patient", "x") != other("patient", "x")
    assert (tmp_path / "a" / "site.key").stat().st_mode & 0o077 == 0


def test_a_long_report_is_split_and_nothing_is_lost() -> None:
    text = " ".join(f"Sentence number {n} has six words." for n in range(80))
    parts = pieces(text, 60)
    assert len(parts) == 8
    assert " ".join(parts) == text
