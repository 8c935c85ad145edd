"""A folder of videos gives an item for every segment, always the same ones."""

from __future__ import annotations

import shutil

import pytest

from tests.videos import packaged_clip, plain, write_video
from tiepoint.errors import ConfigError, InputError
from tiepoint.types import Item, Skipped
from tiepoint_adapters.media.video import VideoSource

pytest.importorskip("scenedetect", reason="videos need the extra `video`")

DECLARED = {"start_s": "float", "end_s": "float", "file": "string"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    videos = tmp_path / "videos"
    (videos / "town").mkdir(parents=True)
    shutil.copy(packaged_clip("bikes.mp4"), videos / "town")
    write_video(videos / "a.mp4", plain((9, 9, 9), 10))
    return videos


def entries(folder, metadata=DECLARED, **options):
    return list(VideoSource(folder, **options).items(metadata))


def test_every_shot_is_an_item_with_its_times(folder):
    items = entries(folder)
    assert [item.id for item in items] == [
        "a.mp4#t=0,1",
        "town/bikes.mp4#t=0,1.2",
        "town/bikes.mp4#t=1.2,3.04",
        "town/bikes.mp4#t=3.04,5.48",
        "town/bikes.mp4#t=5.48,7.48",
        "town/bikes.mp4#t=7.48,10",
    ]
    assert items[2].parts == {"video": f"{folder}/town/bikes.mp4#t=1.2,3.04"}
    assert items[2].metadata == {"start_s": 1.2, "end_s": 3.04, "file": "town/bikes.mp4"}


def test_windows_and_lengths_are_a_choice(folder):
    ids = [item.id for item in entries(folder, segments="windows", longest_s=5, recursive=True)]
    assert ids == ["a.mp4#t=0,1", "town/bikes.mp4#t=0,5", "town/bikes.mp4#t=5,10"]


def test_only_declared_metadata_are_given(folder):
    assert entries(folder, {"start_s": "float"}, recursive=False)[0].metadata == {"start_s": 0.0}


def test_sidecars_say_more_about_every_segment(folder):
    (folder / "town" / "bikes.txt").write_text("a morning in town")
    (folder / "town" / "bikes.json").write_text('{"id": "town", "metadata": {"place": "B"}}')
    items = entries(folder)[1:]
    assert {item.parts["text"] for item in items} == {"a morning in town"}
    assert items[0].id == "town#t=0,1.2"
    assert items[0].metadata["place"] == "B"


def test_what_cannot_be_read_is_said_and_left(folder):
    (folder / "b.mp4").write_bytes(b"no video")
    (folder / "c.mp4").touch()
    (folder / "d.mp4").symlink_to("/nowhere.mp4")
    skipped = {entry.where: entry.reason for entry in entries(folder) if isinstance(entry, Skipped)}
    assert "cannot be decoded" in skipped["b.mp4"]
    assert "empty" in skipped["c.mp4"]
    assert "leads nowhere" in skipped["d.mp4"]
    assert sum(isinstance(entry, Item) for entry in entries(folder)) == 6


def test_stored_segments_are_known_again(folder):
    source = VideoSource(folder)
    for item in source.items(DECLARED):
        assert source.name_of(item.id, item.parts) == item.id.partition("#t=")[0]
    assert source.name_of("a", {"video": "/elsewhere/a.mp4#t=0,1"}) is None
    assert source.name_of("a", {"image": str(folder / "a.jpg")}) is None


def test_folders_and_options_that_cannot_be_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        entries(tmp_path / "none")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no video"):
        entries(tmp_path / "bare")
    with pytest.raises(ConfigError, match="no method"):
        VideoSource(folder, segments="scenes")
