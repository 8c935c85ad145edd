"""The demo, whole: real pictures, real encoders, a real store, and the page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.command_line import tiepoint
from tests.videos import packaged_clip
from tiepoint_adapters.demo.changes import changed
from tiepoint_adapters.demo.pictures import packaged_file, packaged_pictures


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    done = tiepoint("demo", "--out", tmp_path_factory.mktemp("demo"), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def section(told: dict, direction: str) -> dict:
    return next(part for part in told["sections"] if part["direction"] == direction)


def test_every_packaged_picture_is_indexed_with_its_captions(told):
    indexing = told["indexing"]
    assert (indexing["pictures"], indexing["captions"], indexing["skipped"]) == (28, 56, [])
    assert indexing["encoded"] == 28


def test_pictures_are_found_again_after_they_were_changed(told):
    part = section(told, "image-image")
    assert part["found_at_1"] >= 0.8 * part["judged"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_find_pictures_that_have_no_words_far_more_often_than_chance(told, language):
    asked = [a for a in section(told, "text-image")["answers"] if a["language"] == language]
    found = sum(1 for answer in asked if answer["rank"])
    assert found / len(asked) > 2 * 5 / 28
    assert all(
        [c["route"] for c in hit["contributions"]] == ["text->image"]
        for answer in asked
        for hit in answer["hits"]
    )


def test_pictures_find_captions_far_more_often_than_chance(told):
    part = section(told, "image-text")
    assert part["judged"] == 28
    assert part["found_at_5"] / 28 > 2 * 5 / 28


def test_captioned_pictures_are_found_by_meaning_words_and_sight_together(told):
    part = section(told, "hybrid")
    assert part["found_at_5"] == part["judged"]
    routes = {c["route"] for a in part["answers"] for h in a["hits"] for c in h["contributions"]}
    assert routes == {
        "text->image",
        "text->english",
        "text->chinese",
        "words->english",
        "words->chinese",
    }
    for answer in part["answers"]:
        for hit in answer["hits"]:
            assert hit["score"] == pytest.approx(sum(c["value"] for c in hit["contributions"]))


def test_the_page_is_whole_and_its_store_can_be_asked_on(told, tiepoint_here):
    page = Path(told["page"]).read_text("utf-8")
    assert page.rstrip().endswith("</html>")
    assert page.count("<article") == sum(part["queries"] for part in told["sections"])
    done = tiepoint_here(
        *("search", told["deployment"], "--collection", "items", "--text", "a ginger cat"),
        *("-k", "1", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hits"][0]["id"] == "cat"


def test_an_installed_plugin_shows_an_alert_with_evidence_and_finds_moments_of_a_street(told):
    packaged_clip("bikes.mp4")
    shown = {exhibit["name"]: exhibit for exhibit in told["exhibits"]}
    alert, *searches = shown["security"]["parts"]
    assert alert["heading"] == "Somebody runs into the yard"
    titles = [one["title"] for one in alert["shown"]]
    for kind in ("what was seen", "what was unusual in it", "what usually is", "before and"):
        assert any(title.startswith(f"nobody_in_the_yard: {kind}") for title in titles)
    wall = next(part for part in searches if "wall of a house" in part["heading"])
    assert wall["shown"][0]["title"].startswith("8.0 to ")
    files = [Path(one["file"]) for part in shown["security"]["parts"] for one in part["shown"]]
    assert all(file.stat().st_size > 0 for file in files)
    page = Path(told["page"]).read_text("utf-8")
    assert "Somebody runs into the yard" in page
    assert "停在墙边的自行车" in page


@pytest.fixture
def demo(tiepoint_here):
    """Run a demo in this process and return what it printed."""

    def run(out: Path, *options: str | Path) -> str:
        done = tiepoint_here("demo", "--out", out, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """A user's folder: some pictures, one with a caption, one broken."""
    folder = tmp_path_factory.mktemp("own")
    for package, name in (
        ("skimage", "data/chelsea.png"),
        ("skimage", "data/coffee.png"),
        ("sklearn", "datasets/images/flower.jpg"),
    ):
        source = packaged_file(package, name)
        changed(str(source), "small").save(folder / source.with_suffix(".jpg").name)
    (folder / "coffee.txt").write_text("a cup of coffee")
    (folder / "broken.jpg").write_bytes(b"this is no picture at all")
    return folder


def test_a_users_folder_is_asked_what_its_pictures_resemble(demo, own, tmp_path):
    out = demo(tmp_path, "--images", own)
    assert "skipped broken.jpg" in out
    assert "3 pictures" in out
    page = Path(out.splitlines()[-1])
    assert page == tmp_path / "demo.html"
    text = page.read_text("utf-8")
    assert "others like chelsea.jpg" in text
    assert "“a cup of coffee”" in text


def test_a_folder_without_a_whole_picture_leaves_an_earlier_demo_alone(
    own, tmp_path, tiepoint_here
):
    (tmp_path / "broken").mkdir()
    shutil.copy(own / "broken.jpg", tmp_path / "broken")
    (tmp_path / "broken" / "empty.png").touch()
    store = tmp_path / "out" / "store"
    store.mkdir(parents=True)
    (store / "kept").touch()
    (tmp_path / "out" / "deployment.yaml").write_text("# Written by `tiepoint demo`. Ask it: ...\n")
    for out in (tmp_path / "out", tmp_path / "new"):
        done = tiepoint_here("demo", "--out", out, "--images", tmp_path / "broken")
        assert done.returncode == 2
        assert "no picture could be read; the first: broken.jpg" in done.stderr
        assert len(done.stderr.splitlines()) <= 2
    assert (store / "kept").exists()
    assert not (tmp_path / "new").exists()


def test_a_user_asks_what_he_wants_and_a_second_demo_starts_afresh(demo, own, tmp_path):
    first = json.loads(demo(tmp_path, "--images", own, "--ask", "a cat", "--json"))
    again = json.loads(demo(tmp_path, "--images", own, "--ask", "a cat", "--json"))
    for told in (first, again):
        [asked, captioned] = section(told, "text-image")["answers"]
        assert asked["query"] == "a cat"
        assert asked["hits"][0]["id"] == "chelsea.jpg"
        assert captioned["expected"] == ["coffee.jpg"]
        assert told["indexing"]["pictures"] == 3
    assert again["indexing"]["encoded"] == 0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--ask", "x"), "--ask goes with --images"),
        (("--images", "absent"), "no such folder"),
        (("--out", "a-file"), "cannot be made"),
        (("--out", "taken"), "was not made by a demo"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_2(
    tmp_path, monkeypatch, tiepoint_here, options, line
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("x")
    (tmp_path / "taken" / "store").mkdir(parents=True)
    done = tiepoint_here("demo", *options)
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "taken" / "store").is_dir()


def test_dicom_pictures_are_rendered_as_they_are_meant(tmp_path):
    by_id = {picture.id: picture for picture in packaged_pictures(tmp_path)}
    with Image.open(by_id["head-ct"].path) as head:
        assert head.getpixel((0, 0)) == 0  # air around the head
        assert head.getextrema() == (0, 255)
        assert 60 < head.getpixel((230, 330)) < 200  # brain, grey in its window
    with Image.open(by_id["heart-us"].path) as heart:
        assert heart.mode == "RGB"
