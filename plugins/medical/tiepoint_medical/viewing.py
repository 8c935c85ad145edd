"""A study's files laid out for a viewer: its series, with their frames in the order of place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tiepoint.errors import DecodeError, InputError
from tiepoint_adapters.dicom.pixels import MAX_FRAMES
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
from tiepoint_adapters.dicom.reports import report_text
from tiepoint_adapters.dicom.series import Volume, volumes_of
from tiepoint_adapters.dicom.values import text_of


def layout(files: Sequence[Path], viewer: str | None) -> dict[str, Any]:
    """Return what a viewer shows of some files.

    Args:
        files: The files, which are told by their place among these, from 0.
        viewer: Where another viewer shows a study, with `{study}` for its UID.

    Returns:
        `{"series": [{"modality", "name", "frames": [[file, frame], ..]}], "report", "study",
        "viewer", "left_out": [{"file", "reason"}]}`: the report is what structured reports among
        the files say, the study its UID.

    Raises:
        InputError: They are of several patients or studies, or there is no picture among them.
    """
    parts: list[DicomObject] = []
    left_out: list[dict[str, Any]] = []
    for number, file in enumerate(files):
        try:
            part = read_dicom(file, pixels=False)
            if part.frames > MAX_FRAMES:
                raise DecodeError(f"the header claims more than {MAX_FRAMES:,} frames")
            parts.append(part)
        except DecodeError as error:
            left_out.append({"file": number, "reason": error.what})
    for keyword, noun in (("PatientID", "patients"), ("StudyInstanceUID", "studies")):
        if len(found := {text_of(part.dataset, keyword) or "" for part in parts}) > 1:
            raise InputError(f"the files are of {len(found)} {noun}", hint="Open one study's.")
    volumes = volumes_of(parts)
    if not volumes:
        reasons = {one["reason"] for one in left_out} or {part.class_name for part in parts}
        raise InputError("there is no picture in it", hint="; ".join(sorted(reasons)[:3]))
    study = parts[0].uid("StudyInstanceUID")
    place = {file: number for number, file in enumerate(files)}
    names = {part.where: text_of(part.dataset, "SeriesDescription") or "" for part in parts}
    return {
        "series": [
            {
                "modality": volume.modality,
                "name": names.get(str(volume.frames[0].path), ""),
                "frames": _frames(volume, place),
            }
            for volume in volumes
        ],
        "report": "\n".join(text for part in parts if (text := report_text(part).strip())),
        "study": study,
        "viewer": viewer.replace("{study}", quote(study, safe="")) if viewer and study else None,
        "left_out": left_out,
    }


def _frames(volume: Volume, place: dict[Path, int]) -> list[tuple[int, int]]:
    return [(place[one.path], one.frame) for one in volume.frames]
