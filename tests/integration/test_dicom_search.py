"""DICOM objects as items and as queries of an ordinary collection."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from tests.command_line import tiepoint
from tiepoint import Host, Item, registry
from tiepoint.config.models import Deployment
from tiepoint.encoders.base import Encoder
from tiepoint.encoders.images import read_image
from tiepoint.errors import DecodeError, QueryError

NAMES = ("CT_small.dcm", "MR_small.dcm", "examples_palette.dcm", "JPEG2000.dcm")


class ThumbnailEncoder(Encoder):
    """A picture's thumbnail as a unit vector."""

    modalities = ("image",)
    dim = 192
    fingerprint = "thumbnail-1"

    def prepare(self, part, modality=None):
        return Image.fromarray(read_image(part)).resize((8, 8))

    def infer(self, prepared, modality=None):
        flat = np.stack([np.asarray(one, np.float32).ravel() - 128 for one in prepared])
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    undo = registry.register(registry.ENCODERS, "thumbnail", ThumbnailEncoder)
    content = {
        "version": 1,
        "encoders": {"photo": {"type": "thumbnail"}},
        "store": {"uri": str(tmp_path_factory.mktemp("dicom") / "store")},
        "collections": {"items": {"fields": {"image": {"encoder": "photo"}}}},
    }
    with Host(Deployment.model_validate(content)) as host:
        host.add(Item(id=name, image=get_testdata_file(name)) for name in NAMES)
        yield host
    undo()


@pytest.mark.parametrize("name", NAMES)
def test_a_dicom_object_finds_itself(host, name):
    first = host.search(dicom=get_testdata_file(name))[0]
    assert first.id == name
    assert first.score == pytest.approx(1, abs=1e-3)


def test_a_query_may_be_a_path_or_bytes_but_not_beside_an_image(host):
    path = Path(get_testdata_file("MR_small_RLE.dcm"))
    assert host.search(dicom=path)[0].id == "MR_small.dcm"
    assert host.search(dicom=path.read_bytes())[0].id == "MR_small.dcm"
    with pytest.raises(QueryError, match="two of modality image"):
        host.search(dicom=path, image=path)


def test_a_dicom_object_without_pixels_is_no_query(host):
    with pytest.raises(DecodeError, match="Basic Text SR Storage: there are no pixels"):
        host.search(dicom=get_testdata_file("reportsi.dcm"))


@pytest.mark.slow
def test_the_command_takes_dicom_files_from_a_folder_and_as_queries(tmp_path):
    (tmp_path / "files").mkdir()
    for name in NAMES:
        (tmp_path / "files" / name).write_bytes(Path(get_testdata_file(name)).read_bytes())
    file = tmp_path / "deploy.yaml"
    file.write_text(f"""\
version: 1
encoders: {{photo: {{type: timm, preset: fast}}}}
store: {{uri: {tmp_path / "store"}}}
collections: {{items: {{fields: {{image: {{encoder: photo}}}}}}}}
sources: {{scans: {{type: folder, path: {tmp_path / "files"}, collection: items}}}}
""")
    done = tiepoint("index", file, "--json")
    assert json.loads(done.stdout)["sources"][0]["added"] == len(NAMES), done.stderr
    done = tiepoint("search", file, "--dicom", get_testdata_file("CT_small.dcm"), "--json")
    assert json.loads(done.stdout)["hits"][0]["id"] == "CT_small.dcm"
