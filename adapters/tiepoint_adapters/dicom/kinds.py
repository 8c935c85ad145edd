"""What a DICOM object is, by its SOP class."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydicom.uid import UID

from tiepoint_adapters.dicom.values import text_of


class Kind(StrEnum):
    """What a DICOM object is."""

    IMAGE = "image"
    SEGMENTATION = "segmentation"
    PARAMETRIC_MAP = "parametric map"
    REPORT = "structured report"
    KEY_OBJECTS = "key object selection"
    PRESENTATION_STATE = "presentation state"
    WAVEFORM = "waveform"
    DOCUMENT = "encapsulated document"
    RADIOTHERAPY = "radiotherapy object"
    REGISTRATION = "registration"
    VIDEO = "video"
    DIRECTORY = "directory"
    OTHER = "object without pictures"


# The first fragment that the name of the SOP class has decides.
_FRAGMENTS = (
    ("Media Storage Directory", Kind.DIRECTORY),
    ("Key Object Selection", Kind.KEY_OBJECTS),
    ("Presentation State", Kind.PRESENTATION_STATE),
    ("Surface Segmentation", Kind.OTHER),
    ("Segmentation", Kind.SEGMENTATION),
    ("Parametric Map", Kind.PARAMETRIC_MAP),
    ("Waveform", Kind.WAVEFORM),
    ("ECG", Kind.WAVEFORM),
    ("Encapsulated", Kind.DOCUMENT),
    ("RT Image", Kind.IMAGE),
    ("RT Dose", Kind.IMAGE),
    ("RT ", Kind.RADIOTHERAPY),
    ("Registration", Kind.REGISTRATION),
    ("Fiducials", Kind.REGISTRATION),
    (" SR", Kind.REPORT),
    ("Procedure Log", Kind.REPORT),
    ("Report", Kind.REPORT),
    ("Video", Kind.VIDEO),
    ("Image Storage", Kind.IMAGE),
    ("Secondary Capture", Kind.IMAGE),
)

_BY_MODALITY = {
    "SR": Kind.REPORT,
    "KO": Kind.KEY_OBJECTS,
    "PR": Kind.PRESENTATION_STATE,
    "SEG": Kind.SEGMENTATION,
    "ECG": Kind.WAVEFORM,
    "DOC": Kind.DOCUMENT,
    "REG": Kind.REGISTRATION,
}


def sop_class(dataset: Any) -> UID | None:
    """Return the SOP class of a data set, or of its file's meta information."""
    meta = getattr(dataset, "file_meta", {})
    value = text_of(dataset, "SOPClassUID") or text_of(meta, "MediaStorageSOPClassUID")
    return UID(value) if value else None


def class_name(dataset: Any) -> str:
    """Return the name of a data set's SOP class; of one that is not in PS3.6, what it is."""
    uid = sop_class(dataset)
    if uid is None:
        return "object without a SOP class"
    return str(uid.name) if uid.name != uid else "private SOP class"


def kind_of(dataset: Any) -> Kind:
    """Return what a data set is; without a SOP class, what its modality and pixels say."""
    uid = sop_class(dataset)
    name = "" if uid is None else str(uid.name)
    for fragment, kind in _FRAGMENTS:
        if fragment in name:
            return kind
    by_modality = _BY_MODALITY.get(text_of(dataset, "Modality") or "")
    if by_modality is not None:
        return by_modality
    return Kind.IMAGE if "Rows" in dataset else Kind.OTHER
