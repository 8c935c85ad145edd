"""DICOM objects that tests make, and where the ones of the shared data are."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

SHARED = Path(os.environ.get("TIEPOINT_DATA", Path(__file__).parents[3].parent / "shared/data"))
SHARED_DICOM = SHARED / "dicom"

needs_shared = pytest.mark.skipif(
    not SHARED_DICOM.is_dir(), reason="the shared DICOM files are not here (TIEPOINT_DATA)"
)


def image(pixels: Any = None, **elements: Any) -> FileDataset:
    """Return a grey image, (h, w) or (n, h, w) uint16 or uint8, with further elements."""
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 64 if pixels is None else pixels
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.PatientID = "P1"
    dataset.PatientName = "Test^Patient"
    dataset.Modality = "CR"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = 12 if dataset.BitsAllocated == 16 else dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def lut(first: int, entries: list[int], bits: int = 8) -> Dataset:
    """Return an item of a LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", entries)
    return item


def written(dataset: FileDataset) -> bytes:
    """Return an object as the bytes of a file."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
