"""Text, pictures and clips find segments, and segments find pictures and texts, by a host."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.small_encoders import COLOUR_COMPONENTS, COLOURS, PixelColourEncoder, registered
from tests.videos import plain, write_video
from tiepoint import Host, Item
from tiepoint.config.models import Deployment
from tiepoint.errors import DecodeError, QueryError
from tiepoint.sequences.fitting import PoolingOptions, SequencePairs, fit_pooling
from tiepoint.sequences.pooling import Sequences

pytest.importorskip("av", reason="video needs the extra `video`")


@pytest.fixture(autouse=True)
def small_components(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    with registered(*COLOUR_COMPONENTS):
        yield


@pytest.fixture
def film(tmp_path):
    """Two seconds each of red, green and blue."""
    frames = [frame for colour in COLOURS.values() for frame in plain(colour, 20)]
    return write_video(tmp_path / "film.mp4", frames)


def deployment(tmp_path, fields, **options):
    photo = {"type": "pixel-colour"}
    return Deployment.model_validate(
        {
            "version": 1,
            "encoders": {
                "photo": photo,
                "clip": {"type": "video", "frames": photo, **options},
                "scan": {"type": "volume", "frames": photo, "window": [0, 255]},
                "words": {"type": "colour-words"},
            },
            "alignment": {"type": "colour", "encoders": {"image": "photo", "text": "words"}},
            "store": {"uri": str(tmp_path / "store")},
            "collections": {
                "items": {"fields": fields, "metadata": {"start_s": "float"}},
            },
        }
    )


def segments(film):
    return [
        Item(id=colour, video=f"{film}#t={start},{start + 2}", metadata={"start_s": float(start)})
        for colour, start in zip(COLOURS, (0, 2, 4), strict=True)
    ]


@pytest.fixture
def host(tmp_path, film):
    with Host(deployment(tmp_path, {"video": {"encoder": "clip"}})) as host:
        host.add(segments(film))
        yield host


def test_a_text_finds_a_segment(host, film):
    [first, *_] = host.search(text="something green")
    assert first.id == "green"
    assert [c.route for c in first.contributions] == ["text->video"]
    assert first.metadata == {"start_s": 2.0}
    assert first.parts == {"video": f"{film}#t=2,4"}
    assert first.probability is None


def test_a_picture_finds_a_segment(host):
    [first, *_] = host.search(image=Image.new("RGB", (8, 8), COLOURS["blue"]))
    assert first.id == "blue"
    assert [c.route for c in first.contributions] == ["image->video"]
    assert first.score > 0.99


def test_a_clip_finds_a_segment(host, film):
    [first, *_] = host.search(video=f"{film}#t=0.5,1.5")
    assert first.id == "red"
    assert [c.route for c in first.contributions] == ["video->video"]


def test_a_clip_finds_texts_and_pictures(tmp_path, film):
    fields = {"image": {"encoder": "photo"}, "text": {"encoder": "words"}}
    with Host(deployment(tmp_path, fields)) as host:
        host.add([Item(id=f"the word {name}", text=name) for name in COLOURS])
        host.add(
            [Item(id=n, image=Image.new("RGB", (8, 8), colour)) for n, colour in COLOURS.items()]
        )
        hits = host.search(video=f"{film}#t=2.2,3.8")
        best = {hit.contributions[0].route: hit.id for hit in reversed(hits)}
        assert best == {"video->image": "green", "video->text": "the word green"}


def test_a_volume_is_found_by_text_and_finds_a_volume(tmp_path):
    white = np.full((4, 8, 8), 255, np.uint8)
    with Host(deployment(tmp_path, {"scan": {"encoder": "scan"}})) as host:
        host.add(
            [Item(id="white", parts={"scan": white}), Item(id="black", parts={"scan": white * 0})]
        )
        assert host.search(parts={"volume": white - 1})[0].id == "white"
        assert host.search(text="red green blue")[0].id == "white"


def test_joint_vectors_of_videos_are_those_that_are_stored(host, film):
    [joint] = host.embed(video=[f"{film}#t=2,4"])
    [text] = host.embed(text=["green"])
    assert host.search(vector=joint)[0].id == "green"
    assert joint @ text == pytest.approx(host.search(text="green")[0].score, abs=1e-5)


def test_segments_that_are_there_are_not_encoded_again(host, film):
    again = host.add(segments(film))
    assert (again.added, again.unchanged, again.encoded) == (0, 3, 0)


def test_a_broken_video_is_left_out_and_said(host, tmp_path, film):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    items = [
        Item(id="broken", video=str(tmp_path / "broken.mp4")),
        Item(id="late", video=f"{film}#t=50,60"),
        Item(id="good", video=film),
    ]
    report = host.add(items, strict=False)
    assert report.added == 1
    assert [skipped.where for skipped in report.skipped] == ["broken", "late"]
    assert "outside the video" in report.skipped[1].reason
    with pytest.raises(DecodeError, match="outside the video"):
        host.search(video=f"{film}#t=50,60")


def test_a_pooling_with_a_space_of_its_own_is_not_taken_for_a_picture(tmp_path, film):
    generator = np.random.default_rng(0)
    frames = [generator.normal(size=(3, 4)).astype(np.float32) for _ in range(20)]
    pairs = SequencePairs(
        Sequences.of(frames),
        generator.normal(size=(20, 5)).astype(np.float32),
        np.stack([np.arange(20)] * 2, 1),
    )
    options = PoolingOptions(method="gru", width=3, dim=4, epochs=1, batch=10)
    folder = fit_pooling(PixelColourEncoder(), pairs, options).save(tmp_path / "gru")
    fields = {"video": {"encoder": "clip"}}
    with Host(deployment(tmp_path, fields, pooling=str(folder))) as host:
        host.add(segments(film))
        assert host.search(video=f"{film}#t=2,4")[0].id == "green"
        assert host.search(image=Image.new("RGB", (8, 8), COLOURS["green"]))[0].id == "green"
        with pytest.raises(QueryError, match="no route leads from text"):
            host.search(text="green")
