"""Many studies at once on Ray workers: each SOP instance is a case once, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.adapters.dicom.objects import image, written
from tests.command_line import TIEPOINT
from tiepoint import Host
from tiepoint_medical.archive.incoming import from_studies
from tiepoint_medical.archive.studies import read_studies
from tiepoint_medical.archive.writing import IngestReport
from tiepoint_medical.service import MedicalService, service_of

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.slow

CASES = 900
TWICE = 20
FILE = """
version: 1
encoders:
  pictures: {type: volume, frames: {type: timm, preset: fast}}
store: {uri: ./store}
collections:
  cases:
    fields:
      image: {encoder: pictures}
      report: {modality: text, words: true}
      findings: {dimensions: 61}
    metadata:
      {patient: string, study: string, present: strings, absent: strings, uncertain: strings}
engine: {type: ray, workers: 2, memory_mib: 100}
plugins:
  medical: {state: ./state}
"""


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of objects, some of which are there twice under other names."""
    folder = tmp_path_factory.mktemp("studies")
    random = np.random.default_rng(0)
    for number in range(CASES):
        pixels = random.integers(0, 4096, (64, 64), np.uint16)
        one = written(image(pixels, PatientID=f"P{number % 300}"))
        (folder / f"{number}.dcm").write_bytes(one)
        if number < TWICE:
            (folder / f"again-{number}.dcm").write_bytes(one)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "deployment.yaml"
    file.write_text(FILE)
    return file


def stored(config: Path) -> tuple[int, int]:
    """Return how many cases a collection holds, and how many patients' they are."""
    with Host.from_config(config) as host:
        collection = host.collection("cases")
        patients = {told[0]["patient"] for told in collection.get(collection.ids()).values()}
        return len(collection), len(patients)


def test_a_killed_worker_loses_and_repeats_nothing(studies: Path, config: Path) -> None:
    killed: list[int] = []
    with Host.from_config(config) as host:
        service: MedicalService = service_of(config, host)

        def kill_one(so_far: IngestReport) -> None:
            workers = host.health()["engine"]["workers"]
            if not killed and so_far.added >= 128 and workers:
                killed.append(workers[0]["process"])
                os.kill(killed[0], signal.SIGKILL)

        report = service.ingest(from_studies(read_studies(studies)), progress=kill_one)
        workers = host.health()["engine"]["workers"]
        again = service.ingest(from_studies(read_studies(studies)))
        service.close()
    assert killed
    assert len({worker["process"] for worker in workers}) >= 3
    assert sum(worker["items"] for worker in workers) == CASES
    assert (report.added, again.added) == (CASES, 0)
    assert again.known == CASES
    assert stored(config) == (CASES, 300)


def test_a_killed_command_goes_on_when_it_is_given_again(studies: Path, config: Path) -> None:
    command = [TIEPOINT, "medical", "ingest", str(config), str(studies)]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if line.startswith("tiepoint: ingest: ") and int(line.split()[2]) >= 64:
            break
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    first.stderr.close()
    second = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    told = json.loads(second.stdout)
    assert told["added"] + told["known"] == CASES
    assert stored(config) == (CASES, 300)
