"""Volumes: slices by position, whatever their files are called."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from tests.adapters.dicom.objects import image, written
from tiepoint.encoders.cache import digest
from tiepoint.encoders.readers import dicom_reader
from tiepoint.encoders.volume import VolumeEncoder
from tiepoint.errors import DecodeError
from tiepoint.sequences.volumes import Volume as CoreVolume
from tiepoint_adapters.dicom.series import find_volumes, pictures_of

AXIAL = [1, 0, 0, 0, 1, 0]


def ct_slice(level: int, position: float, **elements):
    dataset = image(np.full((4, 4), level, np.uint8), Modality="CT")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, position], AXIAL
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def save(folder, datasets):
    names = [f"{number:03d}" for number in range(len(datasets))]
    random.Random(4).shuffle(names)
    for name, dataset in zip(names, datasets, strict=True):
        (folder / name).write_bytes(written(dataset))


def test_slices_are_in_the_order_of_their_positions(tmp_path):
    save(tmp_path, [ct_slice(10 * n, -2.5 * n, InstanceNumber=str(n)) for n in range(12)])
    [volume] = find_volumes(tmp_path)
    assert [int(picture[0, 0]) for picture in volume.slices(12)] == list(range(110, -10, -10))


def test_slices_without_positions_are_in_the_order_of_their_numbers(tmp_path):
    slices = [ct_slice(10 * n, 0, InstanceNumber=str(n)) for n in range(12)]
    for one in slices:
        del one.ImagePositionPatient
    save(tmp_path, slices)
    assert [int(picture[0, 0]) for picture in pictures_of(tmp_path, 12)] == list(range(0, 120, 10))


def test_a_localizer_is_a_volume_of_its_own(tmp_path):
    localizer = ct_slice(0, 0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    save(tmp_path, [*(ct_slice(0, n) for n in range(5)), localizer])
    assert [len(volume.frames) for volume in find_volumes(tmp_path)] == [5, 1]


def test_views_without_positions_are_no_slices_of_each_other(tmp_path):
    views = [image(SeriesInstanceUID="1.2.3.4", StudyInstanceUID="1.2.3") for _ in range(2)]
    save(tmp_path, views)
    volumes = find_volumes(tmp_path)
    assert [len(volume.frames) for volume in volumes] == [1, 1]
    assert {volume.name for volume in volumes} == {str(view.SOPInstanceUID) for view in views}


def test_an_encoder_of_volumes_reads_a_series_when_it_is_needed(tmp_path):
    save(tmp_path, [ct_slice(10 * n, n) for n in range(6)])
    [volume] = find_volumes(tmp_path)
    found = VolumeEncoder(frames={"type": "edges"}, most=3)
    assert [int(picture[0, 0]) for picture in found.pictures(volume)] == [10, 30, 50]
    assert digest(volume) == volume.content_digest()
    assert found.encode([volume]).shape == (1, found.dim)
    volume.frames[0].path.unlink()
    with pytest.raises(DecodeError, match="cannot be read"):
        volume.content_digest()


def test_a_folder_of_two_patients_is_refused(tmp_path):
    save(tmp_path, [ct_slice(0, 0), ct_slice(0, 1, PatientID="P2")])
    with pytest.raises(DecodeError, match="2 patients"):
        pictures_of(tmp_path, 4)


def test_frames_of_an_enhanced_object_are_sorted_by_position(tmp_path):
    dataset = ct_slice(0, 0)
    levels = np.array([30, 10, 20], np.uint8)
    pixels = np.broadcast_to(levels[:, None, None], (3, 4, 4))
    dataset.NumberOfFrames, dataset.PixelData = 3, pixels.tobytes()
    del dataset.ImagePositionPatient
    groups = []
    for level in levels.tolist():
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, level]
        group.PlanePositionSequence = [place]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    (tmp_path / "one").write_bytes(written(dataset))
    assert [int(picture[0, 0]) for picture in pictures_of(tmp_path / "one", 3)] == [10, 20, 30]


def test_the_core_reads_dicom_as_volumes(tmp_path):
    save(tmp_path, [ct_slice(10 * n, n) for n in range(6)])
    volume = CoreVolume.of(tmp_path)
    assert [int(picture[0, 0]) for picture in volume.slices(3, None)] == [10, 30, 50]
    digest = volume.content_digest()
    next(tmp_path.iterdir()).write_bytes(b"changed")
    assert volume.content_digest() != digest


def test_the_core_finds_the_reader_by_its_entry_point():
    dose = Path(get_testdata_file("rtdose.dcm")).read_bytes()
    assert dicom_reader().picture(dose).ndim == 2
