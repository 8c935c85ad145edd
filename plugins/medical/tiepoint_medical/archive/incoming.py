"""What comes in, one image or volume with its report each: of studies, or of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tiepoint.encoders.cache import digest
from tiepoint.sequences.volumes import Sliced, spread
from tiepoint.types import IMAGE, Skipped
from tiepoint_adapters.dicom.series import Volume
from tiepoint_medical.archive.studies import Study


@dataclass(frozen=True, slots=True)
class Views:
    """Pictures, or volumes, that are encoded as one: the mean of what each of them is.

    It is a part for encoders of volumes (`tiepoint.sequences.volumes.Sliced`).

    Attributes:
        parts: Pictures as image encoders take them, or volumes that give their slices.
    """

    parts: tuple[Any, ...]

    def content_digest(self) -> str:
        """Return a SHA-256 of the content of all parts, in their order."""
        listing = "\n".join(digest(part, IMAGE) for part in self.parts)
        return hashlib.sha256(listing.encode()).hexdigest()

    def slices(self, most: int, window: tuple[float, float] | None) -> list[Any]:
        """Return at most so many pictures: an equal share from every part."""
        chosen = [self.parts[at] for at in spread(len(self.parts), most)]
        share = most // len(chosen)
        return [
            picture
            for part in chosen
            for picture in (part.slices(share, window) if isinstance(part, Sliced) else [part])
        ]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A case on its way in; it still holds identifiers, and is never stored or logged.

    Attributes:
        place: Where it comes from, for the person who gave it; it may name a patient.
        patient: The patient's identifier.
        study: The study's.
        image_id: The image's.
        image: The image, as encoders take it, or a volume; None for a report alone.
        report: The text, empty if there is none.
        identifiers: What must not stay in the report.
        details: Further metadata, which are kept where the collection declares them.
        warnings: What is odd about it, in words.
    """

    place: str
    patient: str
    study: str
    image_id: str
    image: Any
    report: str = ""
    identifiers: tuple[str, ...] = field(default=(), repr=False)
    details: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """What changes when the case does: its report, and how much of the image is there."""
        frames = len(self.image.frames) if isinstance(self.image, Volume) else 1
        return f"{frames} {self.report}"


def from_studies(studies: Iterable[Study | Skipped]) -> Iterator[Incoming | Skipped]:
    """Give the views and volumes of studies, each as a case; where there are none, the report."""
    for study in studies:
        if isinstance(study, Skipped):
            yield study
            continue
        about = study.report, study.identifiers
        if not study.volumes:
            yield Incoming(study.uid, study.patient, study.uid, study.uid, None, *about)
        for volume in study.volumes:
            details = {"modality": volume.modality or "", "body_part": study.body_part}
            image_id = f"{study.uid} {volume.series} {volume.name}"
            yield Incoming(
                volume.frames[0].path.name, study.patient, study.uid, image_id, volume, *about,
                details, study.warnings,
            )  # fmt: skip


def from_table(cases: Iterable[Any]) -> Iterator[Incoming]:
    """Give the rows of a table of pictures and reports (`tiepoint_medical.evaluation.cases`)."""
    for case in cases:
        yield Incoming(
            place=case.image,
            patient=case.group,
            study=f"{case.group}/{case.text}",
            image_id=case.image,
            image=case.path,
            report=case.text,
            identifiers=(case.group,) if len(case.group) > 3 else (),
        )
