"""The routes of the reading room, asked over ASGI."""

from __future__ import annotations

import io
import json

import pytest
from pydicom import dcmread

from tests.adapters.dicom.objects import image, written
from tests.adapters.http.conftest import served
from tests.plugins.medical.test_matching import DEPLOYMENT, EFFUSION, archive, striped_slice
from tiepoint import Host
from tiepoint_medical.archive.incoming import from_studies
from tiepoint_medical.archive.studies import read_studies
from tiepoint_medical.results.fhir import validated

VIEWER = "https://ohif.example/viewer?StudyInstanceUIDs={study}"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes")
    config = folder / "deploy.yaml"
    viewer = DEPLOYMENT.replace("./state}", f'./state, viewer: "{VIEWER}"}}')
    config.write_text(viewer, encoding="utf-8")
    (folder / "in").mkdir()
    former = striped_slice(1, PatientID="P7", StudyInstanceUID="1.2.6")
    (folder / "in" / "former").write_bytes(written(former))
    host = Host.from_config(config)
    with served(host) as client:
        service = host.plugin("medical").service
        service.ingest(archive())
        service.ingest(from_studies(read_studies(folder / "in")))
        yield client, service


def study(**elements):
    """Return the contents of three slices of a study, the last one first."""
    told = {"PatientID": "P7", "PatientName": "Seven^Sam", "StudyInstanceUID": "1.2.7", **elements}
    slices = [striped_slice(number, **told) for number in (2, 0, 1)]
    return [("image", (f"{at}.dcm", written(one))) for at, one in enumerate(slices)]


def test_an_upload_is_matched_with_other_patients_and_shown_and_kept(room):
    client, service = room
    asked = written(striped_slice(1, PatientID="P7", StudyInstanceUID="1.2.7"))
    answer = client.post(
        "/v1/medical/match",
        files={"image": ("a.dcm", asked)},
        data={"text": EFFUSION, "keep": "true", "draft": "true"},
    ).json()
    own = service.pseudonyms("patient", "P7")
    assert [one["patient"] for one in answer["match"]["priors"]] == [own]
    assert own not in {one["patient"] for one in answer["match"]["hits"]}
    assert answer["draft"]["status"] == "unverified"
    [waiting] = client.get("/v1/medical/worklist").json()
    assert client.post(f"/v1/medical/worklist/{waiting['id']}/read").json()["hits"]
    assert client.get("/v1/medical/worklist").json() == []
    shown = client.post("/v1/medical/frame", files={"image": ("a.dcm", asked)})
    assert shown.content.startswith(b"\x89PNG")
    assert shown.headers["X-Frames"] == "1"
    broken = client.post("/v1/medical/match", files={"image": ("a.dcm", asked[:200])})
    assert broken.status_code == 422
    assert "P7" not in broken.text


def test_a_study_of_several_files_is_laid_out_by_place_and_matched_as_one(room):
    client, service = room
    found = client.post("/v1/medical/study", files=study()).json()
    [series] = found["series"]
    assert series["frames"] == [[1, 0], [2, 0], [0, 0]]
    assert found["viewer"] == "https://ohif.example/viewer?StudyInstanceUIDs=1.2.7"
    answer = client.post("/v1/medical/match", files=study(), data={"text": EFFUSION}).json()
    own = service.pseudonyms("patient", "P7")
    assert [one["patient"] for one in answer["match"]["priors"]] == [own]


def test_files_of_two_patients_are_refused_and_named_by_nothing_of_theirs(room):
    client, _ = room
    mixed = [*study(), ("image", ("x", written(image(PatientID="P8", StudyInstanceUID="1.2.7"))))]
    for path in ("/v1/medical/study", "/v1/medical/match"):
        answer = client.post(path, files=mixed)
        assert answer.status_code == 422
        assert "2 patients" in answer.text
        assert "P8" not in answer.text
        assert "tiepoint-" not in answer.text


@pytest.mark.parametrize("name", ["findings.dcm", "report.dcm"])
def test_a_draft_is_saved_as_dicom_about_the_study(room, name):
    client, _ = room
    answer = client.post(f"/v1/medical/results/{name}", files=study(), data={"text": EFFUSION})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    report = dcmread(io.BytesIO(answer.content))
    assert (report.StudyInstanceUID, report.PatientID) == ("1.2.7", "P7")
    assert report.VerificationFlag == "UNVERIFIED"
    [evidence] = report.CurrentRequestedProcedureEvidenceSequence
    assert len(evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence) == 3


@pytest.mark.parametrize(("name", "release"), [("fhir-r5.json", "R5"), ("fhir-r4.json", "R4")])
def test_a_draft_is_saved_as_valid_fhir(room, name, release):
    client, _ = room
    answer = client.post(f"/v1/medical/results/{name}", files=study(), data={"text": EFFUSION})
    bundle = validated(json.loads(answer.content), release)
    assert bundle["entry"][-1]["resource"]["status"] == "preliminary"


def test_a_draft_about_no_dicom_is_refused(room):
    client, _ = room
    answer = client.post("/v1/medical/results/report.dcm", data={"text": EFFUSION})
    assert answer.status_code == 422
    assert "about a DICOM study" in answer.text


def test_what_made_an_image_resemble_a_case_is_drawn_and_saved(room):
    client, service = room
    file = {"image": ("a.dcm", study()[0][1][1])}
    case = service.match(text=EFFUSION, k=1).hits[0].case
    drawn = client.post("/v1/medical/heat-map", files=file, data={"case": case})
    assert drawn.content.startswith(b"\x89PNG")
    saved = client.post("/v1/medical/heat-map", files=file, data={"case": case, "dicom": "true"})
    capture = dcmread(io.BytesIO(saved.content))
    assert capture.SOPClassUID.name == "Secondary Capture Image Storage"
    assert (capture.StudyInstanceUID, capture.PatientID) == ("1.2.7", "P7")
    assert capture.pixel_array.shape == (96, 96, 3)
    unknown = client.post("/v1/medical/heat-map", files=file, data={"case": "i-0"})
    assert unknown.status_code == 422


def test_every_opening_and_saving_is_in_the_audit(room):
    client, service = room
    before = len(service.records.audit())
    client.post("/v1/medical/study", files=study())
    client.post("/v1/medical/results/report.dcm", files=study(), data={"text": EFFUSION})
    lines = service.records.audit()[before:]
    assert {"opened", "exported"} <= {line["action"] for line in lines}
    assert "1.2.7" not in json.dumps(lines)


def test_a_study_may_be_larger_than_a_request_but_none_of_its_files(tmp_path):
    config = tmp_path / "deploy.yaml"
    limits = "\nserver: {limits: {body_mib: 0.02, files_mib: 0.06}}\n"
    config.write_text(DEPLOYMENT + limits, encoding="utf-8")
    told = {"PatientID": "P7", "StudyInstanceUID": "1.2.7"}
    slices = [("image", (f"{n}", written(striped_slice(n, **told)))) for n in range(5)]
    assert sum(len(content) for _, (_, content) in slices) > 0.04 * (1 << 20)
    with served(Host.from_config(config)) as client:
        [series] = client.post("/v1/medical/study", files=slices).json()["series"]
        assert len(series["frames"]) == 5
        assert client.post("/v1/medical/match", files=slices).status_code == 200
        large = [("image", ("x", written(image(PatientComments="x" * 25_000))))]
        refused = client.post("/v1/medical/study", files=large)
        assert refused.status_code == 413
        assert "a file has more than" in refused.text
        assert client.post("/v1/medical/study", files=slices * 5).status_code == 413
        # Elsewhere a form is a request like any other.
        assert client.post("/v1/search", files=slices).status_code == 413
