"""DICOM: files and folders, pictures, volumes, reports, and the network's ways of getting them.

What most callers need is here:

- `read_dicom` opens a file and says what it is; `find_objects` opens all of a folder.
- `render` gives a frame as it is meant to be looked at; `frames` gives its stored values.
- `report_text` gives the text of a structured report.

Nothing of pydicom is imported before the first of them is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiepoint_adapters.dicom.finding import find_objects
    from tiepoint_adapters.dicom.pixels import frames
    from tiepoint_adapters.dicom.reading import DicomObject, read_dicom
    from tiepoint_adapters.dicom.rendering import render
    from tiepoint_adapters.dicom.reports import report_text

_PLACES = {
    "DicomObject": "reading",
    "find_objects": "finding",
    "frames": "pixels",
    "read_dicom": "reading",
    "render": "rendering",
    "report_text": "reports",
}

__all__ = ["DicomObject", "find_objects", "frames", "read_dicom", "render", "report_text"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
