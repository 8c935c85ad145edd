"""The canary on a real store: it stays calm, and tells when an encoder gives other vectors."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import (
    COLOURS,
    ColourAligner,
    ColourEncoder,
    ColourWordEncoder,
    registered,
    unit,
)
from tiepoint import Host, Item, registry
from tiepoint.config.models import Deployment
from tiepoint.migration.migration import migrate


class ChangedFilter(ColourEncoder):
    """The same fingerprint, and a picture that is shrunk by another filter."""

    def prepare(self, part, modality=None):
        picture = Image.open(part if hasattr(part, "read") else _readable(part))
        small = picture.convert("RGB").resize((1, 1), Image.Resampling.NEAREST)
        return np.asarray(small, np.float32).reshape(3)


class OtherRuntime(ColourEncoder):
    """The same fingerprint, and a runtime that computes a little differently."""

    def infer(self, prepared, modality=None):
        return unit(super().infer(prepared) + np.float32(0.01))


class RoundedOtherwise(ColourEncoder):
    """The same fingerprint, and the last digit of a float32 rounded otherwise."""

    def infer(self, prepared, modality=None):
        vectors = super().infer(prepared)
        return unit(vectors + np.float32(1e-7) * np.sign(vectors))


def _readable(part):
    import io

    return io.BytesIO(part) if isinstance(part, bytes) else part


@pytest.fixture(autouse=True)
def own_components(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    with registered(
        (registry.ENCODERS, "colour-words", ColourWordEncoder),
        (registry.ALIGNERS, "colour", ColourAligner),
    ):
        yield


@pytest.fixture
def with_encoder():
    """Install an encoder of the type `colour`, in place of the one before."""
    undo = []

    def install(encoder):
        while undo:
            undo.pop()()
        undo.append(registry.register(registry.ENCODERS, "colour", encoder))

    yield install
    while undo:
        undo.pop()()


@pytest.fixture
def deployment(tmp_path):
    fields = {"image": {"encoder": "photo"}, "text": {"encoder": "words"}}
    return Deployment.model_validate(
        {
            "version": 1,
            "encoders": {"photo": {"type": "colour"}, "words": {"type": "colour-words"}},
            "alignment": {"type": "colour", "encoders": {"image": "photo", "text": "words"}},
            "store": {"uri": str(tmp_path / "store")},
            "collections": {"items": {"fields": fields, "metadata": {"price": "float"}}},
        }
    )


@pytest.fixture
def pictures(tmp_path):
    """Pictures that two filters shrink to different colours."""
    files = []
    for n, colour in enumerate(COLOURS.values()):
        picture = Image.new("RGB", (9, 9), colour)
        picture.paste((90, 20 * n, 200), (0, 0, 5, 4))
        files.append(tmp_path / f"{n}.png")
        picture.save(files[-1])
    return files


def items(pictures):
    return [
        Item(f"i{n}", image=str(file), text=f"a red {n}", metadata={"price": n})
        for n, file in enumerate(pictures)
    ]


def by_field(report):
    return {field["field"]: field for field in report["fields"]}


def test_the_same_encoder_has_not_drifted(with_encoder, deployment, pictures, caplog):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
    with Host(deployment) as host, caplog.at_level(logging.WARNING):
        report = host.drift()
    assert report["status"] == "ok"
    assert {name: field["items"] for name, field in by_field(report).items()} == {
        "image": 3, "image_joint": 3, "text": 3, "text_joint": 3,
    }  # fmt: skip
    assert "no longer gives" not in caplog.text


@pytest.mark.parametrize("changed", [ChangedFilter, OtherRuntime])
def test_other_vectors_of_the_same_fingerprint_are_told(
    with_encoder, deployment, pictures, caplog, changed
):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
    with_encoder(changed)
    with Host(deployment) as host, caplog.at_level(logging.WARNING):
        report = host.drift()
        assert host.health()["drift"] == report
    assert report["status"] == "drifted"
    fields = by_field(report)
    assert fields["image"]["distance"] > report["tolerance"] < fields["image_joint"]["distance"]
    assert fields["text"]["status"] == "ok"
    [line] = [r.getMessage() for r in caplog.records if "'image'" in r.getMessage()]
    assert f"{fields['image']['distance']:.2g} away" in line
    assert "--migrate --reencode" in line


def test_rounding_is_no_drift(with_encoder, deployment, pictures):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
    with_encoder(RoundedOtherwise)
    with Host(deployment) as host:
        assert host.drift()["status"] == "ok"


def test_warming_up_looks_in_the_background(with_encoder, deployment, pictures, caplog):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
    with_encoder(OtherRuntime)
    with Host(deployment) as host, caplog.at_level(logging.WARNING):
        assert host.health()["drift"] == {"status": "not looked yet"}
        host.warm_up()
        host.drift()  # waits for what was begun
        assert host.health()["drift"]["status"] == "drifted"
    assert caplog.text.count("field 'image':") == 1


def test_a_file_that_was_changed_is_not_taken_for_drift(with_encoder, deployment, pictures):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
        Image.new("RGB", (9, 9), (1, 2, 3)).save(pictures[0])
        pictures[1].unlink()
        report = host.drift()
    assert report["status"] == "ok"
    assert by_field(report)["image"]["items"] == 1


def test_pictures_given_in_memory_leave_the_field_unchecked(with_encoder, deployment, pictures):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add([Item("a", image=Image.open(pictures[0]))])
        report = host.drift()
    assert report["status"] == "unchecked"
    assert by_field(report)["image"]["status"] == "unchecked"


def test_a_look_that_fails_is_told(with_encoder, deployment, pictures):
    class Broken(ColourEncoder):
        def infer(self, prepared, modality=None):
            raise RuntimeError("no device")

    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
    with_encoder(Broken)
    with Host(deployment) as host:
        assert host.drift() == {"status": "failed", "reason": "RuntimeError: no device"}
        assert [hit.id for hit in host.search(text="red", k=1)]


def test_encoding_everything_again_ends_the_drift(with_encoder, deployment, pictures):
    with_encoder(ColourEncoder)
    with Host(deployment) as host:
        host.add(items(pictures))
    with_encoder(OtherRuntime)
    report = migrate(deployment, reencode=True)
    assert report.switched
    assert report.collections[0].encoded == 6
    with Host(deployment) as host:
        assert host.drift()["status"] == "ok"
        assert host.add(items(pictures)).unchanged == 3
        [changed] = host.add([Item("new", image=str(pictures[0]))]).skipped or [None]
        assert changed is None
        assert host.drift()["status"] == "ok"
