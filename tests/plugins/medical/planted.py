"""A corpus of DICOM objects with planted identifiers, the same for the same seed and pictures.

Every identifier is planted in the header, in nested sequences, in private elements, in free
text, in the file's name and, for pictures, in the pixels: text of five sizes in four corners,
white on the picture or black on a light strip. The real pixel data come from the folders that
are named; what is planted where is returned beside each object.

    python -m tests.plugins.medical.planted OUT --pictures DIR   # writes it and prints its hash
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    BasicTextSRStorage,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)

SEED = 20261123
COUNT = 560
DIGEST = "2bd4f38b237d48d598b675e313ba70e7c3474b9b76850b0dfc956d2e647c65d7"
"""Of the corpus on the pictures of covid_cxr, with Pillow 13 and pydicom 3.0."""

SIZES = (12, 16, 22, 30, 42)
CORNERS = ("top left", "top right", "bottom left", "bottom right")
POLARITIES = ("white", "black")
LONGEST_SIDE = 640
REPORT_EVERY = 8

_FAMILIES = [
    "Abernathy",
    "Baumgartner",
    "Castellano",
    "Dziedzic",
    "Eriksdottir",
    "Fitzwilliam",
    "Grzybowski",
    "Hawthorne",
    "Iannucci",
    "Jankowska",
    "Kowalczyk",
    "Lindqvist",
    "Montgomery",
    "Nakashima",
    "Okonkwo",
    "Papadakis",
    "Quintero",
    "Rosenbaum",
    "Szymanski",
    "Thorvald",
    "Underhill",
    "Villanueva",
    "Wojcik",
    "Xanthopoulos",
    "Yamaguchi",
    "Zimmermann",
]
_GIVEN = [
    "Agnieszka",
    "Bartholomew",
    "Clementine",
    "Dimitrios",
    "Esmeralda",
    "Florentina",
    "Guinevere",
    "Humphrey",
    "Isadora",
    "Jeremiah",
    "Katarzyna",
    "Leopoldine",
    "Maximilian",
    "Nathaniel",
    "Ottilie",
    "Penelope",
    "Quentin",
]
_TOWNS = [
    "Brambleford",
    "Eastwickham",
    "Granitetown",
    "Larkspur",
    "Mistvale",
    "Northaven",
    "Oakhollow",
]


@dataclass(frozen=True)
class Identity:
    """One invented patient, and who and what is around them."""

    family: str
    given: str
    patient_id: str
    birth_date: str
    accession: str
    address: str
    phone: str
    doctor: str
    hospital: str
    study_date: str

    def strings(self) -> list[str]:
        """What must not be found anywhere afterwards."""
        return [
            self.family, self.given, self.patient_id, self.birth_date, self.accession,
            self.address, self.phone, self.doctor, self.hospital, self.study_date,
        ]  # fmt: skip


@dataclass
class Planted:
    """An object, its file's name, and what was planted.

    Attributes:
        name: The file's name, which holds the patient's name and number.
        content: The file's bytes.
        identity: The patient.
        ink: (h, w) bool, the pixels of the planted text; None for a report.
        corner, size, polarity: Of the planted text.
        uids: The study's, series' and instance's UIDs.
    """

    name: str
    content: bytes
    identity: Identity
    ink: np.ndarray | None = None
    corner: str = ""
    size: int = 0
    polarity: str = ""
    lines: list[str] = field(default_factory=list)
    uids: tuple[str, str, str] = ("", "", "")


def identity(rng: random.Random) -> Identity:
    def date(first: int, last: int) -> str:
        return f"{rng.randint(first, last)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"

    return Identity(
        rng.choice(_FAMILIES),
        rng.choice(_GIVEN),
        f"MRN{rng.randint(10**6, 10**7 - 1)}",
        date(1931, 2004),
        f"ACC{rng.randint(10**5, 10**6 - 1)}",
        f"{rng.randint(10, 99)} Juniper Crescent {rng.choice(_TOWNS)}",
        f"+49-{rng.randint(100, 999)}-{rng.randint(10**5, 10**6 - 1)}",
        rng.choice(_FAMILIES) + "son",
        f"{rng.choice(_TOWNS)} Infirmary",
        date(2015, 2024),
    )


def pictures(folder: Path) -> list[Path]:
    """The pictures that take planted text: those of a folder, in the order of their names."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".png", ".jpg", ".jpeg"})
    if not found:
        raise SystemExit(f"{folder} holds no pictures")
    return found


def corpus(folder: Path, count: int = COUNT, seed: int = SEED) -> Iterator[Planted]:
    """Yield the objects; every eighth is a report, and each study has two objects."""
    rng = random.Random(seed)
    sources = pictures(folder)
    rng.shuffle(sources)
    person, study, shown = identity(rng), "", 0
    for number in range(count):
        if number % 2 == 0:
            person = identity(rng)
            study = generate_uid(entropy_srcs=[f"{seed} study {number}"])
        if number % REPORT_EVERY == REPORT_EVERY - 1:
            yield _report(rng, person, study, number, seed)
        else:
            yield _picture(rng, person, study, number, seed, sources[shown % len(sources)], shown)
            shown += 1


def _base(person: Identity, study: str, number: int, seed: int, sop_class: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[f"{seed} instance {number}"])
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if number % 3 == 0 else ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = person.family.upper()[:16]
    preamble = f"{person.family} {person.patient_id}".encode().ljust(128, b"\0")[:128]
    dataset = FileDataset("", {}, file_meta=meta, preamble=preamble)
    name = f"{person.family}^{person.given}"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[f"{seed} series {number}"])
    dataset.StudyID = person.accession
    dataset.SeriesNumber, dataset.InstanceNumber = 1, number
    dataset.PatientName, dataset.PatientID = name, person.patient_id
    dataset.PatientBirthDate, dataset.PatientSex = person.birth_date, "F"
    dataset.OtherPatientNames = [name, f"{person.given}^{person.family}"]
    dataset.OtherPatientIDsSequence = [_item(PatientID=person.patient_id, TypeOfPatientID="TEXT")]
    dataset.PatientAddress = person.address
    dataset.PatientTelephoneNumbers = person.phone
    dataset.PatientMotherBirthName = person.family
    dataset.AdditionalPatientHistory = f"{person.given} fell in {person.address}"
    dataset.PatientComments = f"Call {person.phone} about {name}"
    dataset.AccessionNumber = person.accession
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = person.study_date
    dataset.StudyTime = dataset.ContentTime = "101500"
    dataset.AcquisitionDateTime = f"{person.study_date}101500"
    dataset.StudyDescription = f"Chest of {person.family}, {person.study_date}"
    dataset.SeriesDescription = f"PA {person.patient_id}"
    dataset.ProtocolName = f"CHEST {person.given}"
    dataset.ReferringPhysicianName = f"{person.doctor}^Doctor"
    dataset.PerformingPhysicianName = f"{person.doctor}^Doctor"
    dataset.OperatorsName = f"{person.doctor}^Operator"
    dataset.InstitutionName = person.hospital
    dataset.InstitutionAddress = person.address
    dataset.StationName = person.hospital[:16]
    dataset.Manufacturer = "Acme"
    dataset.RequestAttributesSequence = [
        _item(
            RequestedProcedureDescription=f"Chest for {name}",
            ScheduledProcedureStepDescription=f"{person.patient_id} chest",
            RequestedProcedureID=person.accession,
            ScheduledProcedureStepID=person.accession,
        )
    ]
    dataset.ReferencedStudySequence = [
        _item(
            ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
            ReferencedSOPInstanceUID=study,
            # Not where these belong, and found in the wild all the same.
            PatientName=name,
            PurposeOfReferenceCodeSequence=[
                _item(
                    CodeValue="1",
                    CodingSchemeDesignator="99X",
                    CodeMeaning=f"seen by {person.doctor}",
                )
            ],
        )
    ]
    block = dataset.private_block(0x0029, "ACME 1.1", create=True)
    block.add_new(0x10, "LO", f"{person.family} {person.patient_id}")
    block.add_new(0x11, "UN", f"{person.given} {person.phone}".encode())
    nested = Dataset()
    nested.PatientName = name
    nested.private_block(0x0031, "ACME 2", create=True).add_new(0x01, "ST", person.address)
    block.add_new(0x12, "SQ", Sequence([nested]))
    # An element that neither the dictionary nor the profile knows.
    dataset.add_new(0x00080FFE, "LO", f"{person.family} {person.accession}")
    return dataset


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _named(person: Identity, number: int) -> str:
    return f"{person.family}_{person.given}_{person.patient_id}_{number:04d}.dcm"


def _written(dataset: FileDataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _picture(
    rng: random.Random, person: Identity, study: str, number: int, seed: int, path: Path, shown: int
) -> Planted:
    sop_class = SecondaryCaptureImageStorage if number % 5 == 4 else ComputedRadiographyImageStorage
    dataset = _base(person, study, number, seed, sop_class)
    dataset.Modality = "OT" if number % 5 == 4 else "CR"
    dataset.ConversionType = "WSD"
    dataset.ImageComments = f"Repeat for {person.given} {person.family}"
    dataset.BurnedInAnnotation = "NO"  # as unreliable as it is in the wild
    grey = Image.open(path).convert("L")
    scale = LONGEST_SIDE / max(grey.size)
    size_now = (round(grey.width * scale), round(grey.height * scale))
    grey = grey.resize(size_now, Image.Resampling.BICUBIC)
    size = SIZES[shown % 5]
    corner = CORNERS[(shown // 5) % 4]
    polarity = POLARITIES[(shown // 20) % 2]
    lines = [f"{person.family.upper()} {person.given}", f"{person.patient_id} {person.birth_date}"]
    if size * 12 > grey.width * 0.9:
        lines = [person.family.upper(), person.patient_id]
    pixels, ink = _with_text(grey, lines, size, corner, polarity)
    inverted = number % 4 == 1
    stored = 255 - pixels if inverted else pixels
    deep = number % 2 == 0
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated = 16 if deep else 8
    dataset.BitsStored = 12 if deep else 8
    dataset.HighBit = dataset.BitsStored - 1
    values = (stored.astype(np.uint16) << 4) if deep else stored.astype(np.uint8)
    dataset.PixelData = values.tobytes() + (b"\0" if values.nbytes % 2 else b"")
    dataset["PixelData"].VR = "OW" if deep else "OB"
    return Planted(
        _named(person, number), _written(dataset), person, ink, corner, size, polarity, lines,
        (study, dataset.SeriesInstanceUID, dataset.SOPInstanceUID),
    )  # fmt: skip


def _with_text(
    grey: Image.Image, lines: list[str], size: int, corner: str, polarity: str
) -> tuple[np.ndarray, np.ndarray]:
    font = ImageFont.load_default(size)
    text = "\n".join(lines)
    left, top, right, bottom = ImageDraw.Draw(grey).multiline_textbbox((0, 0), text, font=font)
    width, height = int(right - left) + 1, int(bottom - top) + 1
    margin = 6
    x = margin if "left" in corner else max(0, grey.width - width - margin)
    y = margin if "top" in corner else max(0, grey.height - height - margin)
    mask = Image.new("L", grey.size, 0)
    ImageDraw.Draw(mask).multiline_text((x - left, y - top), text, fill=255, font=font)
    if polarity == "black":
        strip = (x - 4, y - 4, x + width + 4, y + height + 4)
        ImageDraw.Draw(grey).rectangle(strip, fill=230)
    alpha = np.asarray(mask, np.float32) / 255
    level = 250.0 if polarity == "white" else 8.0
    pixels = np.asarray(grey, np.float32) * (1 - alpha) + level * alpha
    return np.rint(pixels).astype(np.uint8), alpha > 0.5


def _report(rng: random.Random, person: Identity, study: str, number: int, seed: int) -> Planted:
    dataset = _base(person, study, number, seed, BasicTextSRStorage)
    dataset.Modality = "SR"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "VERIFIED"
    dataset.VerifyingObserverSequence = [
        _item(
            VerifyingObserverName=f"{person.doctor}^Doctor",
            VerifyingOrganization=person.hospital,
            VerificationDateTime=f"{person.study_date}120000",
        )
    ]
    dataset.ValueType = "CONTAINER"
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.ConceptNameCodeSequence = [_code("18748-4", "LN", "Diagnostic imaging report")]
    dataset.ContentSequence = [
        _item(
            RelationshipType="HAS OBS CONTEXT",
            ValueType="PNAME",
            ConceptNameCodeSequence=[_code("121008", "DCM", "Person Observer Name")],
            PersonName=f"{person.doctor}^Doctor",
        ),
        _item(
            RelationshipType="CONTAINS",
            ValueType="CONTAINER",
            ContinuityOfContent="SEPARATE",
            ConceptNameCodeSequence=[_code("121070", "DCM", "Findings")],
            ContentSequence=[
                _item(
                    RelationshipType="CONTAINS",
                    ValueType="TEXT",
                    ConceptNameCodeSequence=[_code("121071", "DCM", "Finding")],
                    TextValue=f"{person.given} {person.family}, {person.patient_id}: no effusion. "
                    f"Discussed with {person.doctor} of {person.hospital} on {person.study_date}.",
                )
            ],
        ),
    ]
    return Planted(
        _named(person, number), _written(dataset), person,
        uids=(study, dataset.SeriesInstanceUID, dataset.SOPInstanceUID),
    )  # fmt: skip


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def digest(objects: Iterator[Planted]) -> str:
    """The SHA-256 of names and contents, in order."""
    whole = hashlib.sha256()
    for planted in objects:
        whole.update(planted.name.encode() + b"\0" + hashlib.sha256(planted.content).digest())
    return whole.hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    written = []
    for planted in corpus(options.pictures):
        (options.out / planted.name).write_bytes(planted.content)
        written.append(planted)
    sys.stdout.write(f"{len(written)} {digest(iter(written))}\n")
