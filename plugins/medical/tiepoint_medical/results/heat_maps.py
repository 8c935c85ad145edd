"""A heat map over its picture, as a Secondary Capture of the same study."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from highdicom.sc import SCImage
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import generate_uid

from tiepoint.encoders.images import resize_image
from tiepoint_medical.results.draft import NOTICE, header_of, study_of
from tiepoint_medical.results.structured_reports import (
    MANUFACTURER,
    SERIES_DESCRIPTION,
    SERIES_NUMBER,
)

OPACITY = 0.45
"""How much of the hottest place is heat, and not picture."""


def overlaid(picture: NDArray[np.uint8], heat: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return a picture with heat over it, (h, w, 3) uint8; where there is none it is unchanged.

    Args:
        picture: (h, w) or (h, w, 3) uint8.
        heat: (n, m) of any size and scale; values below 0 are no heat.
    """
    rgb = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    levels = np.clip(np.nan_to_num(np.asarray(heat, np.float64)), 0, None)
    levels = levels / (levels.max() or 1.0)
    grey = np.repeat(np.rint(levels * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    share = resize_image(np.ascontiguousarray(grey), rgb.shape[:2], "bilinear")[:, :, :1] / 255
    # From yellow, a little, to red, much: told apart also where red and green are not.
    colour = np.concatenate([np.full_like(share, 255), 220 * (1 - share), 0 * share], axis=2)
    mixed = rgb * (1 - OPACITY * share) + colour * OPACITY * share
    return np.rint(mixed).astype(np.uint8)


def heat_map(
    image: Any, picture: NDArray[np.uint8], heat: NDArray[np.floating[Any]], method: str
) -> Dataset:
    """Return a heat map as a Secondary Capture Image, ready to be written or sent.

    Args:
        image: The data set that the picture was rendered from.
        picture: (h, w) or (h, w, 3) uint8, as `render` gives it.
        heat: (n, m) of any size and scale.
        method: How it was made, such as `occlusion of 16 x 16 patches`.

    Raises:
        InputError: The image lacks identifiers.
    """
    study = header_of(study_of([image]))
    capture = SCImage(
        pixel_array=overlaid(picture, heat),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=str(study.StudyInstanceUID),
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER + 2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        patient_id=str(study.PatientID) or None,
        patient_name=str(study.PatientName) or None,
        patient_birth_date=str(study.PatientBirthDate) or None,
        patient_sex=str(study.PatientSex) or None,
        accession_number=str(study.AccessionNumber) or None,
        study_id=str(study.StudyID) or None,
        study_date=str(study.StudyDate) or None,
        study_time=str(study.StudyTime) or None,
        referring_physician_name=str(study.ReferringPhysicianName) or None,
        patient_orientation=("L", "F"),
    )
    capture.SeriesDescription = SERIES_DESCRIPTION
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.Laterality = ""
    capture.BurnedInAnnotation = "NO"
    capture.DerivationDescription = f"Heat map by {method}: what the match rests on"
    capture.ImageComments = (
        f"{NOTICE} Heat shows what changed a similarity, not where a disease is."
    )
    capture.SoftwareVersions = version("tiepoint-medical")
    source = Dataset()
    source.ReferencedSOPClassUID = image.SOPClassUID
    source.ReferencedSOPInstanceUID = image.SOPInstanceUID
    capture.SourceImageSequence = [source]
    return capture
