"""Series as volumes: slices in the order of their positions, whatever the files are called."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.encoders.digests import file_digest
from tiepoint.errors import DecodeError
from tiepoint.sequences.volumes import spread
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.attributes import frame_attributes
from tiepoint_adapters.dicom.finding import find_objects
from tiepoint_adapters.dicom.kinds import Kind
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
from tiepoint_adapters.dicom.rendering import Picture, render
from tiepoint_adapters.dicom.values import number_of

_SLICED = frozenset(("CT", "MR", "PT", "NM"))
"""Modalities whose objects of one series are slices of one body, also without positions."""

_SAME_DIRECTION = 2
"""Decimals of the direction cosines that two slices of one volume share."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One frame of an object, as a slice of a volume.

    Attributes:
        path: The object's file.
        frame: Which of its frames, from 0.
        position: Along the normal of the slice, in millimetres; None where it is not known.
        number: Instance Number (0020,0013), which orders slices without positions.
    """

    path: Path
    frame: int
    position: float | None
    number: int


@dataclass(frozen=True, slots=True)
class Volume:
    """Frames of one series that lie one above the other, or a single picture.

    It is a part for encoders of volumes (`tiepoint.sequences.volumes.Sliced`): pixels are read
    when they are asked for.

    Attributes:
        name: What tells it from others: the SOP Instance UID of an object that is a volume of
            its own, else the series' UID with the size and the direction of the slices.
        study: Study Instance UID.
        series: Series Instance UID.
        patient: Patient ID.
        modality: Of the series.
        frames: In the order of their positions.
    """

    name: str
    study: str
    series: str
    patient: str
    modality: str | None
    frames: tuple[Slice, ...]

    def slices(self, most: int, window: tuple[float, float] | None = None) -> list[Picture]:
        """Return at most so many slices, evenly spread, as they are meant to be looked at.

        Args:
            most: How many at most.
            window: Of no effect: objects have their own.

        Raises:
            DecodeError: One of them cannot be read.
        """
        chosen = [self.frames[at] for at in spread(len(self.frames), most)]
        pictures: list[Picture] = []
        opened: tuple[Path, DicomObject] | None = None
        for one in chosen:
            if opened is None or opened[0] != one.path:
                opened = one.path, read_dicom(one.path)
            pictures.append(render(opened[1], one.frame))
        return pictures

    def content_digest(self) -> str:
        """Return a SHA-256 of the files and of which frames are taken in which order.

        Raises:
            DecodeError: A file cannot be read.
        """
        try:
            digests = {path: file_digest(path) for path in {one.path for one in self.frames}}
        except OSError as error:
            raise DecodeError(f"a file cannot be read: {error.strerror}") from error
        listing = "".join(f"{digests[one.path]} {one.frame}\n" for one in self.frames)
        return hashlib.sha256(listing.encode()).hexdigest()


def find_volumes(root: Path) -> list[Volume]:
    """Return the volumes of a folder or a file, those of most slices first.

    Raises:
        InputError: There is nothing of that name.
    """
    found = find_objects(root, pixels=False)
    return volumes_of(part for part in found if not isinstance(part, Skipped))


def volumes_of(parts: Iterable[DicomObject]) -> list[Volume]:
    """Sort objects into volumes, those of most slices first.

    A volume has one series, one size and one direction: a localizer among axial slices is a
    volume of its own. Objects without positions belong together where their modality takes
    slices; views of other modalities, such as two of a chest, are volumes of one picture each.

    Args:
        parts: Objects that were opened from files; those that are no images are left out.
    """
    groups: dict[tuple[Any, ...], list[Slice]] = defaultdict(list)
    named: dict[tuple[Any, ...], DicomObject] = {}
    for part in parts:
        if part.kind is not Kind.IMAGE or part.where is None or "Rows" not in part.dataset:
            continue
        for direction, one in _slices(part):
            alone = direction is None and part.modality not in _SLICED
            key = (
                part.uid("SOPInstanceUID") if alone else None,
                part.uid("StudyInstanceUID"),
                part.uid("SeriesInstanceUID"),
                part.uid("PatientID"),
                number_of(part.dataset, "Rows"),
                number_of(part.dataset, "Columns"),
                direction,
            )
            groups[key].append(one)
            named.setdefault(key, part)
    volumes = [_volume(named[key], slices, key[-1]) for key, slices in groups.items()]
    return sorted(volumes, key=lambda volume: -len(volume.frames))


def pictures_of(root: Path, most: int) -> list[Picture]:
    """Return slices of the largest volume of a folder or a file.

    Args:
        root: A series' folder, or a file of many frames.
        most: How many slices at most.

    Raises:
        DecodeError: There is no volume, or the folder holds more than one patient.
    """
    volumes = find_volumes(root)
    if not volumes:
        raise DecodeError("the folder holds no DICOM images", where=str(root))
    patients = {volume.patient for volume in volumes}
    if len(patients) > 1:
        raise DecodeError(
            f"the folder holds images of {len(patients)} patients",
            where=str(root),
            hint="Give one patient's series.",
        )
    return volumes[0].slices(most)


def _volume(
    part: DicomObject, slices: Sequence[Slice], direction: tuple[float, ...] | None
) -> Volume:
    placed = all(one.position is not None for one in slices)
    order = sorted(
        slices,
        key=lambda one: (one.position or 0.0 if placed else 0.0, one.number, one.frame),
    )
    series = part.uid("SeriesInstanceUID") or ""
    rows, columns = (number_of(part.dataset, word) for word in ("Rows", "Columns"))
    name = f"{series} {rows}x{columns} {direction}"
    own = direction is None and part.modality not in _SLICED
    if own or (len(slices) > 1 and len({one.path for one in slices}) == 1):
        name = part.uid("SOPInstanceUID") or name
    return Volume(
        name,
        part.uid("StudyInstanceUID") or "",
        series,
        part.uid("PatientID") or "",
        part.modality,
        tuple(order),
    )


def _slices(part: DicomObject) -> Iterator[tuple[tuple[float, ...] | None, Slice]]:
    number = number_of(part.dataset, "InstanceNumber") or 0
    count = max(1, number_of(part.dataset, "NumberOfFrames") or 1)
    path = Path(part.where or "")
    placed = len(part.dataset.get("PerFrameFunctionalGroupsSequence") or ())
    place = _place(part.dataset, 0)
    for frame in range(count):
        if frame <= placed:
            place = _place(part.dataset, frame)
        direction, position = place
        yield direction, Slice(path, frame, position, number)


def _place(dataset: Any, frame: int) -> tuple[tuple[float, ...] | None, float | None]:
    """Return the direction of a frame, and its position along the normal."""
    attributes = frame_attributes(dataset, frame)
    rows = _floats(attributes.get("ImageOrientationPatient"), 6)
    corner = _floats(attributes.get("ImagePositionPatient"), 3)
    if rows is None or corner is None:
        return None, None
    direction = tuple(round(cosine, _SAME_DIRECTION) + 0.0 for cosine in rows)
    return direction, float(np.dot(np.cross(rows[:3], rows[3:]), corner))


def _floats(value: Any, count: int) -> list[float] | None:
    try:
        numbers = [float(number) for number in value]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None
