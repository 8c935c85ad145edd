"""What is opened, what it is said to be, and what is refused with which reason."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
)

from tests.adapters.dicom.objects import SHARED_DICOM, image, needs_shared, written
from tiepoint.errors import DecodeError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom import find_objects, frames, read_dicom, render, report_text
from tiepoint_adapters.dicom.kinds import Kind


def reason(part) -> str:
    with pytest.raises(DecodeError) as caught:
        list(frames(read_dicom(part)))
    return caught.value.what


def _pixels_or_reason(part):
    try:
        return list(frames(part))
    except DecodeError as error:
        return error.what


@needs_shared
def test_every_file_that_the_reference_read_has_the_same_pixels():
    with (SHARED_DICOM / "manifest.csv").open() as rows:
        readable = [row["file"] for row in csv.DictReader(rows) if row["decode"] == "ok"]
    assert len(readable) > 50
    for name in readable:
        part = read_dicom(SHARED_DICOM / name)
        found = np.stack(list(frames(part)))
        expected = pixel_array(dcmread(SHARED_DICOM / name))
        expected = expected if part.frames > 1 else expected[None]
        assert found.dtype == expected.dtype, name
        assert np.array_equal(found, expected), name
        assert render(part, part.frames - 1).dtype == np.uint8


@needs_shared
def test_what_the_reference_could_not_read_is_recognised_or_has_a_reason():
    with (SHARED_DICOM / "manifest.csv").open() as rows:
        others = [row for row in csv.DictReader(rows) if row["decode"] != "ok"]
    for row in others:
        part = read_dicom(SHARED_DICOM / row["file"])
        assert part.class_name == row["sop_class"] or not row["sop_class"]
        assert isinstance(_pixels_or_reason(part), list | str)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reportsi.dcm", Kind.REPORT),
        ("test-SR.dcm", Kind.REPORT),
        ("waveform_ecg.dcm", Kind.WAVEFORM),
        ("rtplan.dcm", Kind.RADIOTHERAPY),
        ("rtdose.dcm", Kind.IMAGE),
        ("liver_1frame.dcm", Kind.SEGMENTATION),
        ("CT_small.dcm", Kind.IMAGE),
    ],
)
def test_objects_are_recognised_for_what_they_are(name, kind):
    assert read_dicom(get_testdata_file(name)).kind is kind


def test_a_file_without_a_preamble_is_read():
    content = written(image())[132:]
    assert read_dicom(content).dataset.Modality == "CR"


def test_missing_identifiers_do_not_keep_a_picture_from_being_shown():
    dataset = image()
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        delattr(dataset, keyword)
    assert render(read_dicom(dataset)).shape == (8, 8)


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7 and more", b"\x89PNG\r\n", b"hello", b"{}" * 500, bytes(5000)]
)
def test_what_is_not_dicom_is_refused(content):
    with pytest.raises(DecodeError, match="not DICOM"):
        read_dicom(content)


def test_truncated_pixel_data_are_told():
    content = written(image(np.zeros((64, 64), np.uint16)))
    assert "cut short" in reason(content[:-100])
    compressed = SHARED_DICOM / "fo-dicom__GH1339.dcm"
    if compressed.exists():
        assert "cut short" in reason(compressed)


def test_a_header_that_claims_too_many_pixels_is_refused_before_decoding():
    assert "more than" in reason(image(Rows=65535, Columns=65535))
    assert "cut short" in reason(image(Rows=9000, Columns=9000))
    assert "frames, more than" in reason(image(NumberOfFrames=2_000_000_000))


def test_a_codestream_larger_than_its_header_is_refused_before_decoding():
    dataset = dcmread(get_testdata_file("JPEG2000.dcm"))
    dataset.Rows = dataset.Columns = 8
    assert reason(dataset) == "frame 0 claims 256 x 1024 pixels, and the header 8 x 8"


def test_a_deflated_bomb_is_refused():
    dataset = image()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = written(dataset)
    start = 144 + int.from_bytes(content[140:144], "little")
    squeezing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(squeezing.compress(bytes(2**20)) for _ in range(1100)) + squeezing.flush()
    assert len(bomb) < 2 * 2**20
    with pytest.raises(DecodeError, match="deflated data set is larger"):
        read_dicom(content[:start] + bomb)


def test_a_deflated_object_is_read():
    dataset = image()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    assert np.array_equal(
        next(frames(read_dicom(written(dataset)))), next(frames(read_dicom(image())))
    )


def test_a_private_transfer_syntax_is_told():
    dataset = image()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.113619.5.2.1.99"
    assert "private" in reason(dataset)


def test_native_pixels_that_claim_to_be_compressed_are_told():
    dataset = image()
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    assert "not encoded as" in reason(dataset)


def test_a_wrong_value_is_a_reason_that_does_not_quote_it():
    told = reason(get_testdata_file("badVR.dcm"))
    assert "1A" not in told
    assert told


def test_a_report_is_read_in_the_order_of_its_content():
    text = report_text(read_dicom(get_testdata_file("test-SR.dcm")))
    assert text.index("A mass of") < text.index("Diameter: 3 cm") < text.index("was detected.")


def test_a_folder_is_read_by_content_and_a_dicomdir_by_what_it_lists(tmp_path):
    (tmp_path / "IMG0001").write_bytes(written(image()))
    (tmp_path / "notes.txt").write_text("not a picture")
    found = list(find_objects(tmp_path))
    assert [isinstance(part, Skipped) for part in found] == [False, True]
    listed = list(find_objects(Path(get_testdata_file("DICOMDIR"))))
    assert len(listed) == 31
    assert not any(isinstance(part, Skipped) for part in listed)


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("SC_rgb_jpeg_dcmtk.dcm", {"BitsAllocated": 32}),
        ("SC_rgb_jpeg_gdcm.dcm", {"BitsStored": 7}),
        ("SC_rgb_jpeg_gdcm.dcm", {"PhotometricInterpretation": "MONOCHROME2"}),
        ("J2K_pixelrep_mismatch.dcm", {"PhotometricInterpretation": "RGB"}),
    ],
)
def test_a_header_that_contradicts_itself_does_not_end_the_process(file, wrong):
    """GDCM calls std::terminate on each of these."""
    dataset = dcmread(get_testdata_file(file))
    for keyword, value in wrong.items():
        setattr(dataset, keyword, value)
    _pixels_or_reason(read_dicom(written(dataset)))
