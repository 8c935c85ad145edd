"""Recordings are indexed and searched from the command line, as a user does it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.videos import plain, write_video
from tiepoint.cli.main import main
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import frame_times, read_frames
from tiepoint_adapters.clock import SystemClock
from tiepoint_security.alarm import Records
from tiepoint_security.settings import RecordSettings

RED, GREEN, BLUE = (230, 20, 20), (20, 230, 20), (20, 20, 230)
SIDE = 64


def shaded(picture):
    """Blacken the lower third: where all of a picture changes alike, the light has changed."""
    picture = picture.copy()
    picture[SIDE * 2 // 3 :] = 0
    return picture


@pytest.fixture
def recordings(tmp_path) -> dict[str, Path]:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return {
        "door": write_video(
            folder / "door.mp4",
            [*plain(RED, 30, SIDE), *map(shaded, plain(GREEN, 30, SIDE))],
            rate=10,
        ),
        "yard": write_video(folder / "yard.mp4", plain(BLUE, 30, SIDE), rate=10),
    }


@pytest.fixture
def run(capfd):
    def command(*words: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["security", *map(str, words)])
        told = capfd.readouterr()
        return code, told.out, told.err

    return command


@pytest.fixture
def indexed(run, config, recordings) -> Path:
    for camera, begins in (("door", "2026-05-01T12:00:00"), ("yard", "2026-05-02")):
        code, out, err = run("index", config, recordings[camera], "--begins", begins)
        assert code == 0, err
        assert f"segments of camera {camera}" in out
    return config


@pytest.fixture
def found(run, indexed):
    def search(*words: str | Path) -> list[dict[str, Any]]:
        code, out, err = run("search", indexed, *words, "--json")
        assert code == 0, err
        return json.loads(out)["segments"]

    return search


def test_words_lead_to_the_time_a_thumbnail_and_a_clip_that_plays(found):
    best = found("--text", "something green")[0]
    assert best["camera"] == "door"
    assert best["start"] > "2026-05-01T12:00:02"  # red until the third second
    assert Path(best["thumbnail"]).stat().st_size > 0
    assert frame_times(Clip(Path(best["clip"])))


def test_a_picture_and_a_clip_find_the_moment_too(found, recordings, tmp_path):
    Image.new("RGB", (32, 32), BLUE).save(tmp_path / "blue.png")
    assert found("--image", tmp_path / "blue.png")[0]["camera"] == "yard"
    best = found("--video", f"{recordings['door']}#t=0,1.5")[0]
    assert best["start"] == "2026-05-01T12:00:00.000Z"


def test_what_moved_can_be_asked_for_alone_and_is_not_where_nothing_did(found):
    assert found("--text", "green", "--look-at", "moving", "--camera", "yard") == []
    assert found("--text", "green", "--look-at", "scene", "--camera", "yard")


def test_what_moved_cannot_be_asked_for_where_it_is_not_kept(run, indexed):
    indexed.write_text(indexed.read_text().replace(", moving: {encoder: clip}", ""))
    code, _, err = run("search", indexed, "--text", "green", "--look-at", "moving")
    assert code == 2
    assert "what moved is not kept apart" in err


def test_camera_and_time_limit_what_is_searched(found):
    assert {s["camera"] for s in found("--text", "green", "--camera", "yard")} == {"yard"}
    assert {s["camera"] for s in found("--text", "green", "--from", "2026-05-02")} == {"yard"}
    assert {s["camera"] for s in found("--text", "blue", "--to", "2026-05-01T18:00")} == {"door"}
    early = found("--text", "green", "--to", "2026-05-01T12:00:01")
    assert [s["start"] for s in early] == ["2026-05-01T12:00:00.000Z"]


def test_nothing_had_an_alert_and_nothing_was_in_a_zone(found):
    assert found("--text", "green", "--severity", "info") == []
    assert found("--text", "green", "--zone", 'y"ard\\') == []


def test_indexing_a_recording_again_changes_nothing(run, indexed, recordings, found):
    before = found("--text", "red", "-k", "100")
    code, _, err = run("index", indexed, recordings["door"], "--begins", "2026-05-01T12:00:00")
    assert code == 0, err
    assert found("--text", "red", "-k", "100") == before


def test_the_page_shows_the_answers_with_copies_of_their_clips(run, indexed, tmp_path):
    out = tmp_path / "out"
    code, told, err = run("search", indexed, "--text", "<b>red</b> green", "--out", out)
    assert code == 0, err
    assert told.splitlines()[-1] == str(out / "footage.html")
    page = (out / "footage.html").read_text("utf-8")
    assert "<b>red" not in page
    links = re.findall(r'<a href="(clips/\d+\.mp4)" aria', page)
    assert links
    assert all((out / link).stat().st_size > 0 for link in links)
    assert not re.search(r"https?:|<script", page)


def test_what_was_searched_is_in_the_audit_log_with_who_asked(found, indexed):
    shown = found("--text", "red", "--user", "ana", "-k", "1")
    records = Records(RecordSettings(), str(indexed.parent / "store"), SystemClock())
    try:
        [line] = records.audit.lines(user="ana")
    finally:
        records.close()
    assert (line["action"], line["details"]["text"]) == ("searched", "red")
    assert line["details"]["shown"] == [shown[0]["id"]]


def test_a_clip_that_retention_removed_is_told_as_gone(found):
    for segment in found("--text", "red"):
        Path(segment["clip"]).unlink()
    assert found("--text", "red")[0]["clip"] is None


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "nothing to search for"),
        (("--text", " "), "the text is empty"),
        (("--text", "x", "--from", "2026-05-02", "--to", "2026-05-01"), "no time lies between"),
        (("--image", "absent.png"), "no such file"),
        (("--text", "x", "--from", "yesterday"), "does not match"),
    ],
)
def test_questions_that_cannot_be_answered_are_one_line_and_code_2(run, indexed, words, line):
    code, _, err = run("search", indexed, *words)
    assert code == 2
    assert line in err


def test_a_camera_that_saw_nothing_is_told(run, indexed):
    code, _, err = run("search", indexed, "--text", "red", "--camera", "roof")
    assert code == 0
    assert "no footage of a camera 'roof'; there is of: door, yard" in err
    code, _, err = run("search", indexed, "--text", "red", "--zone", "lawn")
    assert code == 0
    assert "no camera of the deployment has a zone 'lawn'" in err


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("footage: {segment_s: 2}", "{}", "keeps no footage"),
        ("security:\n    footage: {segment_s: 2}", "{}", "does not name the plugin"),
        ("segment_s: 2", "collection: other", "there is no collection 'other'"),
        ("camera: string", "camera: int", "cannot take footage"),
        ("segment_s: 2", "segment_s: 90", "still_s is below segment_s"),
    ],
)
def test_deployments_that_take_no_footage_say_what_to_write(
    run, config, recordings, old, new, line
):
    config.write_text(config.read_text().replace(old, new))
    for command in (("index", config, recordings["door"]), ("search", config, "--text", "x")):
        code, _, err = run(*command)
        assert code == 2
        assert line in err


def test_files_that_are_no_video_are_named_and_the_others_indexed(run, config, recordings):
    broken = recordings["door"].with_name("broken.mp4")
    broken.write_bytes(b"no video at all")
    code, out, err = run("index", config, broken, "absent.mp4", recordings["yard"], "--json")
    assert code == 0, err
    told = json.loads(out)["recordings"]
    assert [one["segments"] > 0 for one in told] == [False, False, True]
    assert "skipped" in err
    assert "broken.mp4" in err
    code, _, err = run("index", config, broken)
    assert code == 2
    assert "no recording could be indexed" in err


def test_what_a_camera_masks_is_in_no_clip_and_no_thumbnail(run, config, recordings):
    cameras = (
        "    cameras: {yard: {address: unused.mp4, masks: [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]}}"
    )
    config.write_text(f"{config.read_text()}{cameras}\n")
    code, _, err = run("index", config, recordings["yard"])
    assert code == 0, err
    code, out, err = run("search", config, "--text", "blue", "-k", "1", "--json")
    assert code == 0, err
    [segment] = json.loads(out)["segments"]
    [first, *_] = read_frames(Clip(Path(segment["clip"])))
    for pixels in (first.pixels, np.asarray(Image.open(segment["thumbnail"]))):
        assert pixels[:, : SIDE // 2 - 4].max() < 40
        assert pixels[:, SIDE // 2 + 4 :, 2].min() > 150


def test_one_beginning_for_several_files_is_refused(run, config, recordings):
    code, _, err = run("index", config, *recordings.values(), "--begins", "2026-05-01")
    assert code == 2
    assert "several files cannot have begun at one time" in err
