"""`tiepoint index --migrate` as a user runs it, with small encoders."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.small_encoders import COLOUR_COMPONENTS, COLOURS, registered
from tiepoint import Host

DEPLOYMENT = """\
version: 1
encoders:
  photo: {{type: colour, version: {version}}}
  words: {{type: colour-words}}
alignment: {{type: colour, encoders: {{image: photo, text: words}}}}
store: {{uri: ./store}}
collections:
  items:
    fields:
      image: {{encoder: photo}}
      text: {{encoder: words, words: true}}
sources:
  things: {{type: folder, path: ./pictures}}
"""


class Place:
    """A deployment file whose encoder can be changed, and the commands on it."""

    def __init__(self, folder, command):
        self.folder, self.command = folder, command
        self.config = folder / "deploy.yaml"
        self.use(1)

    def use(self, version):
        self.config.write_text(DEPLOYMENT.format(version=version))

    def run(self, *options, code=0):
        done = self.command("index", self.config, *options)
        assert done.returncode == code, done.stderr
        return done


@pytest.fixture
def place(tmp_path, tiepoint_here, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    with registered(*COLOUR_COMPONENTS):
        (tmp_path / "pictures").mkdir()
        for colour, value in COLOURS.items():
            Image.new("RGB", (4, 4), value).save(tmp_path / "pictures" / f"{colour}.png")
        place = Place(tmp_path, tiepoint_here)
        place.run()
        yield place


def test_index_names_the_way_out_and_migrate_takes_it(place):
    place.use(2)
    assert "--migrate" in place.run(code=2).stderr
    told = place.run("--migrate").stdout
    assert "items: 3 items; 3 parts encoded" in told
    assert "switched after" in told
    assert "nothing to migrate" in place.run("--migrate").stdout
    assert "things: 0 added, 3 unchanged" in place.run().stdout


def test_json_lists_what_cannot_be_encoded_again(place):
    (place.folder / "pictures" / "red.png").unlink()
    place.use(2)
    refused = place.run("--migrate", "--json", code=2)
    report = json.loads(refused.stdout)
    assert (report["switched"], [one["where"] for one in report["missing"]]) == (False, ["red.png"])
    [line] = refused.stderr.splitlines()
    assert "--missing keep" in line
    report = json.loads(place.run("--migrate", "--missing", "drop", "--json").stdout)
    assert report["switched"]
    assert report["collections"][0] == {
        "collection": "items",
        "items": 2,
        "encoded": 2,
        "cached": 0,
        "reused": 0,
        "resumed": 0,
        "kept_without": 0,
        "dropped": 1,
    }


def test_a_migration_that_is_refused_tells_why_once_and_leaves_no_trace(place):
    lost = place.folder / "pictures" / "red.png"
    content = lost.read_bytes()
    lost.unlink()
    place.use(2)
    [line] = place.run("--migrate", code=2).stderr.splitlines()
    assert line.count("no such file") == 1
    assert not (place.folder / "store" / "generations").exists()
    lost.write_bytes(content)
    place.use(3)
    assert "unfinished" not in place.run("--migrate").stderr


def test_a_refused_migration_that_had_begun_is_kept(place):
    (place.folder / "pictures" / "red.png").write_bytes(b"no picture any more")
    place.use(2)
    place.run("--migrate", code=2)
    report = json.loads(place.run("--migrate", "--missing", "drop", "--json").stdout)
    assert (report["collections"][0]["resumed"], report["collections"][0]["encoded"]) == (2, 0)


def test_options_that_contradict_each_other_are_refused(place):
    assert "--migrate" in place.run("--missing", "drop", code=2).stderr
    assert "--migrate" in place.run("--reencode", code=2).stderr
    for option in (("--prune",), ("--strict",), ("--source", "things")):
        assert "a migration reads no source" in place.run("--migrate", *option, code=2).stderr


def test_reencode_makes_every_vector_anew(place):
    report = json.loads(place.run("--migrate", "--reencode", "--json").stdout)
    assert report["switched"]
    assert (report["collections"][0]["encoded"], report["collections"][0]["cached"]) == (3, 0)


def test_doctor_asks_the_process_that_holds_the_store_for_drift(place):
    with Host.from_config(place.config) as host:
        host.drift()
        done = place.command("doctor", place.config, "--json")
    findings = json.loads(done.stdout)["findings"]
    [drift] = [finding for finding in findings if finding["name"] == "drift"]
    assert (drift["state"], drift["value"]) == ("ok", "ok")
