"""The routes of the reading room, asked over ASGI."""

from __future__ import annotations

from tests.adapters.dicom.objects import written
from tests.adapters.http.conftest import served
from tests.plugins.medical.test_matching import DEPLOYMENT, EFFUSION, archive, striped_slice
from tiepoint import Host
from tiepoint_medical.archive.incoming import from_studies
from tiepoint_medical.archive.studies import read_studies


def test_an_upload_is_matched_with_other_patients_and_shown_and_kept(tmp_path):
    config = tmp_path / "deploy.yaml"
    config.write_text(DEPLOYMENT, encoding="utf-8")
    (tmp_path / "in").mkdir()
    former = striped_slice(1, PatientID="P7", StudyInstanceUID="1.2.6")
    (tmp_path / "in" / "former").write_bytes(written(former))
    asked = written(striped_slice(1, PatientID="P7", StudyInstanceUID="1.2.7"))
    host = Host.from_config(config)
    with served(host) as client:
        service = host.plugin("medical").service
        service.ingest(archive())
        service.ingest(from_studies(read_studies(tmp_path / "in")))
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
