"""Heat maps of an upload: a picture to look at, and a Secondary Capture to send."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tiepoint.encoders.readers import is_dicom
from tiepoint.errors import InputError
from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.rendering import render
from tiepoint_medical.matching.occlusion import heat_map

if TYPE_CHECKING:
    from tiepoint_medical.service import MedicalService

METHOD = "occlusion of 7 x 7 regions"


def heat_map_picture(service: MedicalService, content: bytes, number: int, case: str) -> bytes:
    """Return a PNG of an image, red where it resembles a case.

    Args:
        service: Of the archive.
        content: A DICOM file, or another picture.
        number: Which of its frames, from 0; the last where there are fewer.
        case: The case's pseudonym.

    Raises:
        InputError: There is no such case, or it has no image.
        DecodeError: The content is no picture.
    """
    if not is_dicom(content):
        return heat_map(content, service.occlusion(content, case))
    found = read_dicom(content)
    pixels = render(found, min(number, found.frames - 1))
    return heat_map(pixels, service.occlusion(pixels, case))


def heat_map_capture(service: MedicalService, content: bytes, number: int, case: str) -> bytes:
    """Return the same as a DICOM Secondary Capture of the image's study.

    Raises:
        InputError: See `heat_map_picture`; or the image is not DICOM.
    """
    from tiepoint_medical.results.heat_maps import heat_map as capture_of

    if not is_dicom(content):
        raise InputError("a Secondary Capture is about a DICOM image", hint="Open its file.")
    found = read_dicom(content)
    pixels = render(found, min(number, found.frames - 1))
    capture = capture_of(found.dataset, pixels, service.occlusion(pixels, case), METHOD)
    stream = io.BytesIO()
    capture.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
