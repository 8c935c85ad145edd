"""Text in pictures is found, blacked out, and looked for again."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian

from tests.plugins.medical.planted import CORNERS, corpus
from tiepoint_adapters.dicom import read_dicom, render
from tiepoint_medical.deid.burned_in import find_text
from tiepoint_medical.deid.engine import deidentify
from tiepoint_medical.deid.identities import Identities
from tiepoint_medical.deid.pixels import clean_pixels

SECRET = Identities(b"a secret of the tests, long enough")


def cleaned(content):
    part = read_dicom(content)
    done = deidentify(part, SECRET).dataset
    report = clean_pixels(part, done)
    stream = io.BytesIO()
    done.save_as(stream, enforce_file_format=True)
    return read_dicom(stream.getvalue()), report


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(5)
    noise = rng.integers(30, 90, (6, 6), np.uint8)
    smooth = Image.fromarray(noise).resize((640, 600), Image.Resampling.BICUBIC)
    smooth.save(folder / "1.png")
    return [planted for planted in corpus(folder, 48) if planted.ink is not None]


def test_planted_text_is_blacked_out_in_every_corner_and_polarity(pictures):
    chosen = {(one.corner, one.polarity): one for one in reversed(pictures)}
    assert {corner for corner, _ in chosen} == set(CORNERS)
    for planted in list(chosen.values())[::3]:
        part, report = cleaned(planted.content)
        assert report.boxes
        shown = render(part)
        assert (shown[planted.ink] < 40).mean() > 0.98


def test_a_picture_without_text_stays_as_it_is_and_compressed():
    name = get_testdata_file("MR_small_RLE.dcm")
    part, report = cleaned(Path(name).read_bytes())
    assert report.looked_at == 1
    assert report.boxes == 0
    assert part.transfer_syntax == dcmread(name).file_meta.TransferSyntaxUID
    assert part.dataset.PixelData == dcmread(name).PixelData


def test_colour_with_text_becomes_colour_without():
    name = get_testdata_file("examples_rgb_color.dcm")
    before = render(read_dicom(name))
    assert find_text(before)
    part, report = cleaned(Path(name).read_bytes())
    after = render(part)
    assert report.boxes
    assert after.shape == before.shape
    assert 0 < (after != before).any(axis=2).mean() <= report.share < 0.6


def test_text_in_an_object_of_big_endian_byte_order_is_blacked_out():
    dataset = dcmread(get_testdata_file("CT_small.dcm"))
    banner = Image.new("L", (400, 300))
    font = ImageFont.load_default(28)
    ImageDraw.Draw(banner).text((20, 20), "KOWALSKI 1961", fill=255, font=font)
    ink = np.asarray(banner) > 128
    values = np.full((300, 400), 200, np.uint16)
    values[ink] = 1500
    dataset.set_pixel_data(values, "MONOCHROME2", 16)
    dataset.PixelData = values.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    stream = io.BytesIO()
    dcmwrite(stream, dataset)
    part, report = cleaned(stream.getvalue())
    assert report.boxes
    assert part.transfer_syntax == ExplicitVRBigEndian
    assert set(np.unique(part.dataset.pixel_array)) == {200}  # black, as it is shown


def test_text_in_one_frame_is_blacked_out_in_all():
    dataset = dcmread(get_testdata_file("CT_small.dcm"))
    frames = np.full((3, 300, 400), 200, np.uint16)
    banner = Image.new("L", (400, 300))
    font = ImageFont.load_default(28)
    ImageDraw.Draw(banner).text((20, 20), "KOWALSKI 1961", fill=255, font=font)
    ink = np.asarray(banner) > 128
    frames[1][ink] = 1500
    frames[2][ink] = 900
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 300, 400, 3
    dataset.PixelRepresentation, dataset.PixelData = 0, frames.tobytes()
    dataset.PixelSpacing = [1, 1]
    stream = io.BytesIO()
    dataset.save_as(stream)
    part, report = cleaned(stream.getvalue())
    assert report.looked_at == 3
    for index in (1, 2):
        stored = part.dataset.pixel_array[index]
        assert len(np.unique(stored[ink])) == 1
