"""DICOM images as ordinary pictures, for the demo."""

from __future__ import annotations

from pathlib import Path


def render_dicom(source: Path, target: Path) -> Path:
    """Write the first frame of a DICOM image as an 8-bit PNG and return its path.

    Args:
        source: A DICOM file.
        target: The picture that is written.

    Raises:
        DecodeError: The file cannot be read.
    """
    from PIL import Image

    from tiepoint_adapters.dicom import read_dicom, render

    Image.fromarray(render(read_dicom(source))).save(target)
    return target
