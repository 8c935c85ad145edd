"""Hostile files and requests against a service with the real decoders: refused, and it goes on."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib

import pytest
from PIL import Image

from tests.adapters.http.conftest import deployment, served
from tests.small_encoders import ColourEncoder
from tiepoint import Host, registry
from tiepoint.encoders.images import read_image


class DecodingEncoder(ColourEncoder):
    """Reads pictures as the encoders of a deployment do, and needs no model."""

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = "decoding-1"

    def prepare(self, part, modality=None):
        return read_image(part).reshape(-1, 3).mean(axis=0)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    undo = registry.register(registry.ENCODERS, "decoding", DecodingEncoder)
    content = deployment(
        tmp_path_factory.mktemp("attacked"),
        alignment=None,
        encoders={
            "photo": {"type": "decoding"},
            "clip": {"type": "video", "frames": {"type": "decoding"}},
        },
        collections={
            "items": {
                "fields": {
                    "image": {"encoder": "photo"},
                    "video": {"encoder": "clip"},
                    "text": {"words": True},
                }
            }
        },
    )
    with served(Host(content)) as client:
        yield client
    undo()


def jpeg():
    content = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(content, "JPEG")
    return content.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, data):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def deflated_dicom(most):
    """An object whose data set is packed, and unpacks to that many bytes."""
    syntax = b"1.2.840.10008.1.2.1.99"
    head = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    length = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(head))
    packer = zlib.compressobj(9, wbits=-15)
    return DICOM + length + head + packer.compress(bytes(most)) + packer.flush()


DICOM = bytes(128) + b"DICM"
SVG = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'
FILES = {
    "empty": b"",
    "noise": bytes(range(256)) * 16,
    "half a JPEG": jpeg()[:200],
    "a JPEG that ends within its header": jpeg()[:20],
    "a PNG of 60,000 x 60,000": png(60_000, 60_000, bytes(1_000_000)),
    "a PNG of no size": png(0, 0, b""),
    "a PNG without its pixels": png(500, 500, b""),
    "a DICOM without a data set": DICOM,
    "a DICOM whose element claims 4 GB": DICOM + b"\x02\x00\x00\x00UL\xff\xff" + b"\xff" * 64,
    "a DICOM that unpacks to 64 MB": deflated_dicom(64 << 20),
    "a GIF of 65,535 x 65,535": b"GIF89a\xff\xff\xff\xff\x00\x00\x00;",
    "a video without frames": b"\x00\x00\x00\x18ftypmp42" + bytes(64),
    "an endless box": b"\x00\x00\x00\x01ftyp" + b"\xff" * 64,
    "a document that names a file": SVG,
    "a zip": b"PK\x03\x04" + bytes(64),
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "ffconcat": b"ffconcat version 1.0\nfile /etc/passwd\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused(client, name):
    content = FILES[name]
    given = {"base64": base64.b64encode(content).decode()}
    for modality in ("image", "video"):
        answer = client.post("/v1/search", json={modality: given})
        assert answer.status_code == 422, (modality, answer.text)
        assert "root:" not in answer.text
        sent = client.post("/v1/search/parts", files={modality: ("a", content)})
        assert sent.status_code == 422, (modality, sent.text)
        item = {"id": "x", "parts": {modality: given}}
        stored = client.post("/v1/collections/items/items", json={"items": [item]})
        assert stored.status_code == 422, (modality, stored.text)


def test_a_path_cannot_leave_where_files_are_served(client):
    for path in (
        "/assets/../../server.py",
        "/assets/%2e%2e/%2e%2e/server.py",
        "/assets/..%2f..%2fserver.py",
        "/pages/search/files/..%2f..%2f..%2fserver.py",
        "/assets//etc/passwd",
        "/v1/../../etc/passwd",
    ):
        answer = client.get(path)
        assert answer.status_code in (400, 403, 404), path
        assert "HttpServer" not in answer.text
        assert "root:" not in answer.text


def test_the_name_of_a_sent_file_is_never_used(client, tmp_path):
    for name in (
        f"{tmp_path}/taken",
        "../../taken",
        "a\r\nX-Injected: yes",
        "a\x00.png",
        "x" * 9000,
    ):
        answer = client.post("/v1/search/parts", files={"image": (name, jpeg(), "image/jpeg")})
        assert answer.status_code in (200, 400, 422), answer.text
        assert "x-injected" not in answer.headers
    assert not list(tmp_path.iterdir())


def test_a_form_of_countless_parts_is_refused(client):
    files = [("image", (str(number), b"x")) for number in range(2000)]
    assert client.post("/v1/search/parts", files=files).status_code in (400, 413, 422)


def test_a_packed_body_is_not_unpacked(client):
    head = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(b'{"text": "' + b"a" * (64 << 20) + b'"}')
    answer = client.post("/v1/search", content=body, headers=head)
    assert answer.status_code in (400, 415, 422), answer.text


def test_a_line_end_in_an_address_is_no_header(client):
    for path in (
        "/v1/collections/items/items/a%0d%0aX-Injected:%20yes",
        "/%0d%0aSet-Cookie:%20a=b",
    ):
        answer = client.get(path)
        assert answer.status_code in (400, 404, 422), path
        assert not {"x-injected", "set-cookie"} & set(answer.headers)


def test_hostile_json_is_refused(client):
    head = {"Content-Type": "application/json"}
    for body in (
        b"[" * 100_000,
        b'{"text": "a", "text": ' + b"9" * 10_000 + b"}",
        b'{"vector": [NaN]}',
        b'{"vector": [1e999]}',
        b'{"text": "\\ud800"}',
        b'{"k": 1e9, "text": "a"}',
        b'{"text": "a", "where": "' + b"(" * 5000 + b'"}',
        b"\xff\xfe",
        b'{"__proto__": {}}',
    ):
        answer = client.post("/v1/search", content=body, headers=head)
        assert answer.status_code in (400, 413, 422), (body[:40], answer.status_code)


def test_it_still_answers_afterwards(client):
    assert client.get("/ready").status_code == 200
    added = client.post(
        "/v1/collections/items/items",
        json={"items": [{"id": "a", "parts": {"text": "a red bicycle"}}]},
    )
    assert added.json()["added"] == 1
    found = client.post("/v1/search", json={"text": "bicycle"}).json()
    assert found["hits"][0]["id"] == "a"
