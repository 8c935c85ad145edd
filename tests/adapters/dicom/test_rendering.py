"""Grey levels, in the order that the standard gives, on pictures whose values are known."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

from tests.adapters.dicom.objects import image, lut
from tiepoint_adapters.dicom import read_dicom, render

RAMP = np.array([[0, 1000, 2000, 3000, 4000]], np.uint16)


def levels(dataset, **options):
    return render(read_dicom(dataset), **options)[0].tolist()


def test_a_linear_window_maps_its_ends_to_black_and_white():
    shown = levels(image(RAMP, WindowCenter=2000, WindowWidth=2001))
    assert shown == [0, 0, round(255 * (0.5 / 2000 + 0.5)), 255, 255]


def test_linear_exact_differs_from_linear_by_half_a_value():
    ramp = np.array([[0, 1, 2, 3, 4]], np.uint16)
    linear = levels(image(ramp, WindowCenter=2, WindowWidth=4))
    exact = levels(image(ramp, WindowCenter=2, WindowWidth=4, VOILUTFunction="LINEAR_EXACT"))
    assert exact == [0, 64, 128, 191, 255]
    assert linear == [0, 85, 170, 255, 255]


def test_a_sigmoid_window_is_half_grey_at_its_centre_and_never_clips():
    shown = levels(image(RAMP, WindowCenter=2000, WindowWidth=2000, VOILUTFunction="SIGMOID"))
    assert shown == [round(255 / (1 + np.exp(-4 * (v - 2000) / 2000))) for v in RAMP[0].tolist()]


def test_the_rescale_comes_before_the_window():
    rescaled = image(
        RAMP, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3000, WindowWidth=4000,
        VOILUTFunction="LINEAR_EXACT",
    )  # fmt: skip
    assert levels(rescaled) == [0, 0, 128, 255, 255]


def test_a_modality_lut_is_used_instead_of_a_rescale():
    dataset = image(np.array([[0, 1, 2]], np.uint16), WindowCenter=50, WindowWidth=100)
    dataset.VOILUTFunction = "LINEAR_EXACT"
    item = lut(0, [0, 100, 50], 16)
    item.ModalityLUTType = "US"
    dataset.ModalityLUTSequence = [item]
    assert levels(dataset) == [0, 255, 128]


def test_a_voi_lut_is_preferred_to_a_window():
    dataset = image(np.array([[0, 1, 2, 9]], np.uint16), WindowCenter=5, WindowWidth=10)
    dataset.VOILUTSequence = [lut(1, [255, 0, 51])]
    assert levels(dataset) == [255, 255, 0, 51]


def test_a_window_without_width_is_none():
    without = levels(image(RAMP))
    assert levels(image(RAMP, WindowCenter=0, WindowWidth=0)) == without
    both = image(RAMP, WindowCenter=[0, 2000], WindowWidth=[0, 2001])
    assert levels(both) == levels(image(RAMP, WindowCenter=2000, WindowWidth=2001))


def test_one_of_several_windows_can_be_chosen():
    dataset = image(RAMP, WindowCenter=[1000, 3000], WindowWidth=[2, 2])
    assert levels(dataset, window=0)[2] == 255
    assert levels(dataset, window=1)[2] == 0


@pytest.mark.parametrize(
    "elements",
    [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"},
     {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}],
)  # fmt: skip
def test_inversion_comes_last_and_once(elements):
    plain = levels(image(RAMP, WindowCenter=1000, WindowWidth=2000))
    inverted = levels(image(RAMP, WindowCenter=1000, WindowWidth=2000, **elements))
    assert inverted == [255 - level for level in plain]


def test_padding_is_black_also_where_black_is_white():
    pixels = np.array([[63536 - 65536, 0, 1000, 4000]], np.int16)
    dataset = image(pixels, PhotometricInterpretation="MONOCHROME1")
    dataset.BitsStored, dataset.HighBit = 16, 15
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    shown = levels(dataset)
    assert shown[0] == 0
    assert shown[1] == 255
    assert shown[3] == 0


def test_a_range_of_padding_values_is_black():
    dataset = image(RAMP, PhotometricInterpretation="MONOCHROME1")
    dataset.add_new("PixelPaddingValue", "US", 0)
    dataset.add_new("PixelPaddingRangeLimit", "US", 1000)
    assert levels(dataset)[:2] == [0, 0]


def test_eight_bits_without_a_window_are_shown_as_they_are():
    assert levels(image(np.array([[0, 10, 200]], np.uint8))) == [0, 10, 200]


def test_more_bits_without_a_window_are_spread():
    shown = levels(image(np.array([[100, 150, 200]], np.uint16)))
    assert shown[0] == 0
    assert shown[2] == 255


def test_pixels_that_are_not_square_are_stretched():
    tall = render(read_dicom(image(np.zeros((10, 10), np.uint8), PixelSpacing=[2, 1])))
    wide = render(read_dicom(image(np.zeros((10, 10), np.uint8), PixelAspectRatio=["1", "2"])))
    assert tall.shape == (20, 10)
    assert wide.shape == (10, 20)


def test_each_frame_has_the_window_of_its_functional_group():
    dataset = image(np.stack([RAMP, RAMP]))
    groups = []
    for centre in (500, 3500):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = centre, 2
        group.FrameVOILUTSequence = [window]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    part = read_dicom(dataset)
    assert render(part, 0)[0].tolist() == [0, 255, 255, 255, 255]
    assert render(part, 1)[0].tolist() == [0, 0, 0, 0, 255]


def test_a_palette_is_looked_up():
    part = read_dicom(get_testdata_file("examples_palette.dcm"))
    picture = render(part)
    assert picture.shape == (*pixel_array(part.dataset).shape, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    assert (picture[..., 0] != picture[..., 2]).any()


def test_luminance_and_chrominance_become_rgb():
    picture = render(read_dicom(get_testdata_file("SC_rgb_jpeg_dcmtk.dcm")))
    red, green, blue = picture[5, 50], picture[25, 50], picture[45, 50]
    assert (red[0], green[1], blue[2]) > (200, 120, 200)
    assert max(red[1], red[2], green[0], blue[0]) < 130
