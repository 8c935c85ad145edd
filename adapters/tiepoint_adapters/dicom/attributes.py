"""The attributes that hold for one frame, wherever an object keeps them."""

from __future__ import annotations

from typing import Any

from pydicom import Dataset

_MACROS = {
    "PixelValueTransformationSequence": (
        "RescaleSlope",
        "RescaleIntercept",
        "RescaleType",
    ),
    "FrameVOILUTSequence": (
        "WindowCenter",
        "WindowWidth",
        "VOILUTFunction",
        "VOILUTSequence",
        "WindowCenterWidthExplanation",
    ),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
}


def frame_attributes(dataset: Any, index: int) -> Any:
    """Return the data set as it holds for one frame.

    Enhanced objects keep the window, the rescale and the position of each frame in functional
    groups, shared or per frame (PS3.3 C.7.6.16); other objects have them at the top.

    Args:
        dataset: The object's data set.
        index: Of the frame, from 0.
    """
    groups = [
        *_at(dataset.get("SharedFunctionalGroupsSequence"), 0),
        *_at(dataset.get("PerFrameFunctionalGroupsSequence"), index),
    ]
    if not groups:
        return dataset
    merged = Dataset()
    for group in groups:
        for macro, keywords in _MACROS.items():
            for item in _at(group.get(macro), 0):
                for keyword in keywords:
                    if keyword in item:
                        merged[keyword] = item[keyword]
    for keyword in (word for words in _MACROS.values() for word in words):
        if keyword not in merged and keyword in dataset:
            merged[keyword] = dataset[keyword]
    return merged


def _at(sequence: Any, index: int) -> list[Any]:
    """Return the item of a sequence in a list, or an empty list."""
    return [sequence[index]] if sequence is not None and 0 <= index < len(sequence) else []
