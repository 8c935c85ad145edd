"""Pictures of an object without the text that was burned into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from tiepoint.sequences.volumes import spread
from tiepoint_adapters.dicom.kinds import Kind
from tiepoint_adapters.dicom.pixels import frames
from tiepoint_adapters.dicom.reading import DicomObject
from tiepoint_adapters.dicom.rendering import rendered
from tiepoint_adapters.dicom.values import number_of, text_of
from tiepoint_medical.deid.burned_in import Box, black_out, redact

MOST_LOOKED_AT = 16
"""Of an object of more frames, so many evenly spread ones are looked at."""

_LOOKED_AT = (Kind.IMAGE,)


@dataclass(frozen=True, slots=True)
class PixelReport:
    """What was done to an object's pictures.

    Attributes:
        frames: How many frames there are.
        looked_at: How many of them were searched for text.
        boxes: How many places were blacked out, in every frame.
        share: Which share of a frame they cover.
        residual: How many places the last look still found (they were blacked out, too).
    """

    frames: int = 0
    looked_at: int = 0
    boxes: int = 0
    share: float = 0.0
    residual: int = 0


def clean_pixels(part: DicomObject, dataset: FileDataset) -> PixelReport:
    """Black out text in the pictures of a de-identified object.

    What is found in any frame that is looked at is blacked out in all frames. Where nothing is
    found the pixel data stay as they are, compressed or not.

    Args:
        part: The object as it came.
        dataset: The de-identified object; its pixel data are replaced where there is text.

    Raises:
        DecodeError: The pixels cannot be read, so that nobody knows what they show.
    """
    if part.kind not in _LOOKED_AT or not part.has_pixels:
        return PixelReport()
    wanted = spread(part.frames, MOST_LOOKED_AT).tolist()
    boxes: list[Box] = []
    residual, share, shape = 0, 0.0, (1, 1)
    for picture in rendered(part, wanted):
        redaction = redact(picture)
        boxes += redaction.boxes
        residual += redaction.residual
        share = max(share, redaction.share_of(picture.shape))
        shape = picture.shape[:2]
    if boxes:
        _write_without(part, dataset, boxes, shape)
    return PixelReport(part.frames, len(wanted), len(boxes), round(share, 4), residual)


def _write_without(
    part: DicomObject, dataset: FileDataset, boxes: list[Box], shape: tuple[int, ...]
) -> None:
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

    stored = [np.array(frame) for frame in frames(part)]
    black = _black(part, stored)
    placed = [_placed(box, shape, stored[0].shape) for box in boxes]
    for frame in stored:
        black_out(frame, placed, black)
    photometric = text_of(part.dataset, "PhotometricInterpretation") or "MONOCHROME2"
    if stored[0].ndim == 3:
        photometric = "RGB"
    values = np.stack(stored) if part.frames > 1 else stored[0]
    bits = number_of(part.dataset, "BitsStored") or values.dtype.itemsize * 8
    values = values.astype(values.dtype.newbyteorder("="))
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.set_pixel_data(values, photometric, bits, generate_instance_uid=False)
    if part.transfer_syntax == ExplicitVRBigEndian:  # stays, for what else depends on it
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        if values.dtype.itemsize > 1:
            dataset.PixelData = values.astype(values.dtype.newbyteorder(">")).tobytes()


def _placed(box: Box, shown: tuple[int, ...], stored: tuple[int, ...]) -> Box:
    """Bring a box from the picture with square pixels to the stored one."""
    across, down = stored[1] / shown[1], stored[0] / shown[0]
    left, top, right, bottom = box
    return (
        int(left * across),
        int(top * down),
        int(np.ceil(right * across)),
        int(np.ceil(bottom * down)),
    )


def _black(part: DicomObject, stored: list[NDArray[np.generic]]) -> Any:
    """Return the stored value that is shown as black."""
    photometric = text_of(part.dataset, "PhotometricInterpretation")
    if stored[0].ndim == 3:
        return 0
    if photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        entries = np.unique(np.concatenate([np.unique(frame) for frame in stored]))
        colours = apply_color_lut(entries[None], part.dataset)[0, :, :3].astype(int)
        return entries[int(colours.sum(axis=1).argmin())]
    ends = [frame.max() if photometric == "MONOCHROME1" else frame.min() for frame in stored]
    return max(ends) if photometric == "MONOCHROME1" else min(ends)
