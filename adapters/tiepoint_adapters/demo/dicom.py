"""DICOM images as ordinary pictures, for the demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DISPLAYED_QUANTILE = 0.995
"""Where no window is given, the brightest half per cent is shown as white."""


def render_dicom(source: Path, target: Path) -> Path:
    """Write the first frame of a DICOM image as an 8-bit PNG and return its path.

    Greyscale goes through the Modality LUT, then the VOI LUT or window, and only then is
    MONOCHROME1 inverted (PS3.3 C.11, PS3.4 N.2); colour is brought to RGB.
    """
    from PIL import Image
    from pydicom import dcmread
    from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

    dataset = dcmread(source)
    pixels = pixel_array(dataset, index=0)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    if pixels.ndim == 2:
        windowed = "WindowCenter" in dataset or "VOILUTSequence" in dataset
        values = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset).astype(np.float32)
        low = values.min()
        high = values.max() if windowed else np.quantile(values, DISPLAYED_QUANTILE)
        values = np.clip((values - low) / max(float(high - low), 1e-6), 0, 1)
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            values = 1 - values
        pixels = np.round(values * 255)
    elif pixels.dtype == np.uint16:
        pixels = pixels >> 8
    Image.fromarray(pixels.astype(np.uint8)).save(target)
    return target
