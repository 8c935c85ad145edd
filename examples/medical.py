"""Radiology in one script: ingest, match both ways, and a picture with its window applied.

The images are the real test files that come with pydicom; the reports were written for this
example and say nothing of a real person.

    python examples/medical.py            # keeps nothing
    python examples/medical.py FOLDER     # keeps the archive and the picture there
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydicom import dcmread
from pydicom.data import get_testdata_file

from tiepoint import Host
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.rendering import render
from tiepoint_adapters.dicom.series import volumes_of
from tiepoint_adapters.dicom.values import text_of
from tiepoint_medical.archive.asking import query_of
from tiepoint_medical.archive.incoming import Incoming
from tiepoint_medical.service import service_of

REPORTS = {
    "CT_small.dcm": "Mild degenerative change of the spine. No fracture. No effusion.",
    "693_J2KI.dcm": "Small right pleural effusion with basilar atelectasis. No pneumothorax.",
    "J2K_pixelrep_mismatch.dcm": "CT of the head. No fracture. No mass.",
    "MR_small.dcm": "MR of the brain. No mass or metastasis. No edema.",
    "examples_overlay.dcm": "MR of the abdomen. Small left effusion at the lung base.",
    "JPEG2000.dcm": "Bone scan of the whole body. Metastasis cannot be excluded.",
    "examples_rgb_color.dcm": "Ultrasound of the heart. No pericardial effusion.",
    "examples_ybr_color.dcm": "Ultrasound of the heart, cine loop. Small pericardial effusion.",
}


def cases() -> Iterator[Incoming]:
    """Give pydicom's files that are on this machine.

    One of them is a cine loop: of several frames, at most 32 are encoded and averaged.
    """
    for name, report in REPORTS.items():
        path = get_testdata_file(name, download=False)
        if path is None:
            continue
        found = read_dicom(Path(path), pixels=False)
        yield Incoming(
            place=name,
            patient=text_of(found.dataset, "PatientID") or name,
            study=found.uid("StudyInstanceUID") or name,
            image_id=name,
            image=volumes_of([found])[0],
            report=report,
            identifiers=(str(found.dataset.get("PatientName", "")),),
        )


def main(folder: Path) -> None:
    """Run the example in a folder."""
    from PIL import Image

    os.environ.setdefault("TIEPOINT_STORE", str(folder / "store"))
    os.environ.setdefault("TIEPOINT_MEDICAL_STATE", str(folder / "state"))
    config = Path(__file__).with_suffix(".yaml")
    with Host.from_config(config) as host:
        service = service_of(config, host)
        report = service.ingest(cases())
        print(f"{report.added} cases, {len(report.skipped)} left out")

        found = service.match(text="There is a small pleural effusion.", k=3)
        print("\nA sentence finds:")
        for hit in found.hits:
            print(f"  {hit.score:6.2f}  {hit.report}")
            print(f"          supports {hit.supports}, contradicts {hit.contradicts}")

        path = Path(str(get_testdata_file("CT_small.dcm", download=False)))
        asked = query_of(path)
        found = service.match(image=asked.image, patient=asked.patient, study=asked.study, k=3)
        print("\nAn image finds, in other patients:")
        for hit in found.hits:
            print(f"  {hit.score:6.2f}  {hit.report}")
        print(f"\n{found.notice}")
        service.close()

    picture = folder / "CT_small.png"
    Image.fromarray(render(read_dicom(path))).save(picture)
    window = dcmread(path, stop_before_pixels=True).get("WindowCenter", "none in the file")
    print(f"\nThe picture, window {window}: {picture.name}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
