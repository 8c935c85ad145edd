"""Series as volumes: slices in the order of their positions, whatever the files are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.errors import DecodeError
from tiepoint.sequences.volumes import spread
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.attributes import frame_attributes
from tiepoint_adapters.dicom.finding import find_objects
from tiepoint_adapters.dicom.kinds import Kind
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
from tiepoint_adapters.dicom.rendering import Picture, render
from tiepoint_adapters.dicom.values import number_of

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
    """Slices of one series that lie one above the other.

    Attributes:
        study: Study Instance UID.
        series: Series Instance UID.
        patient: Patient ID.
        modality: Of the series.
        slices: In the order of their positions.
    """

    study: str
    series: str
    patient: str
    modality: str | None
    slices: tuple[Slice, ...]

    def pictures(self, most: int) -> list[Picture]:
        """Return at most so many slices, evenly spread, as they are meant to be looked at.

        Raises:
            DecodeError: One of them cannot be read.
        """
        chosen = [self.slices[at] for at in spread(len(self.slices), most)]
        return [render(read_dicom(one.path), one.frame) for one in chosen]


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
    volume of its own.

    Args:
        parts: Objects that were opened from files; those that are no images are left out.
    """
    groups: dict[tuple[Any, ...], list[Slice]] = defaultdict(list)
    named: dict[tuple[Any, ...], DicomObject] = {}
    for part in parts:
        if part.kind is not Kind.IMAGE or part.where is None or "Rows" not in part.dataset:
            continue
        for direction, one in _slices(part):
            key = (
                part.uid("StudyInstanceUID"),
                part.uid("SeriesInstanceUID"),
                part.uid("PatientID"),
                number_of(part.dataset, "Rows"),
                number_of(part.dataset, "Columns"),
                direction,
            )
            groups[key].append(one)
            named.setdefault(key, part)
    volumes = [_volume(named[key], slices) for key, slices in groups.items()]
    return sorted(volumes, key=lambda volume: -len(volume.slices))


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
    return volumes[0].pictures(most)


def _volume(part: DicomObject, slices: Sequence[Slice]) -> Volume:
    placed = all(one.position is not None for one in slices)
    order = sorted(
        slices,
        key=lambda one: (one.position or 0.0 if placed else 0.0, one.number, one.frame),
    )
    return Volume(
        part.uid("StudyInstanceUID") or "",
        part.uid("SeriesInstanceUID") or "",
        part.uid("PatientID") or "",
        part.modality,
        tuple(order),
    )


def _slices(part: DicomObject) -> Iterator[tuple[tuple[float, ...] | None, Slice]]:
    number = number_of(part.dataset, "InstanceNumber") or 0
    count = max(1, number_of(part.dataset, "NumberOfFrames") or 1)
    for frame in range(count):
        attributes = frame_attributes(part.dataset, frame)
        rows = _floats(attributes.get("ImageOrientationPatient"), 6)
        corner = _floats(attributes.get("ImagePositionPatient"), 3)
        direction, position = None, None
        if rows is not None and corner is not None:
            direction = tuple(round(cosine, _SAME_DIRECTION) + 0.0 for cosine in rows)
            normal = np.cross(rows[:3], rows[3:])
            position = float(np.dot(normal, corner))
        yield direction, Slice(Path(part.where or ""), frame, position, number)


def _floats(value: Any, count: int) -> list[float] | None:
    try:
        numbers = [float(number) for number in value]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None
