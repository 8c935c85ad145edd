"""DICOM for the core's image and volume encoders (entry point `tiepoint.readers`: `dicom`)."""

from __future__ import annotations

from pathlib import Path

from tiepoint_adapters.dicom.reading import read_dicom
from tiepoint_adapters.dicom.rendering import Picture, render
from tiepoint_adapters.dicom.series import pictures_of


class DicomReader:
    """Reads DICOM as pictures; see `tiepoint.encoders.readers.Reader`."""

    def picture(self, content: bytes) -> Picture:
        part = read_dicom(content)
        return render(part, part.frames // 2)

    def slices(self, path: Path, most: int) -> list[Picture]:
        return pictures_of(path, most)
