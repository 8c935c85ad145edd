"""`tiepoint index` as a user runs it: resumable, honest about bad input, one line an error."""

from __future__ import annotations

import json
import re
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command_line import TIEPOINT
from tests.integration.conftest import Command
from tiepoint.cli.output import warn
from tiepoint.indexing import BATCH

DEPLOYMENT = """\
version: 1
encoders:
  photo: {{type: timm, preset: fast}}
store: {{uri: ./store}}
collections:
  items:
    fields:
      image: {{encoder: photo}}
      text: {{words: true}}
    metadata: {{price: float, tags: strings}}
sources:
  things: {source}
"""
FOLDER = "{type: folder, path: ./pictures}"
TABLE = (
    "{type: table, path: ./things.csv, columns: {id: key, text: title, metadata: {price: price}}}"
)

FIRST_BATCH = BATCH  # written, at least, when the first progress is told


class Workplace:
    """A deployment in a folder of its own, and the commands on it."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.command = command
        self.folder = folder
        self.config = folder / "deploy.yaml"
        self.pictures = folder / "pictures"
        self.use(FOLDER)

    def use(self, source: str) -> None:
        self.config.write_text(DEPLOYMENT.format(source=source))

    def index(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.command("index", self.config, *options)

    def report(self, *options: str) -> dict:
        done = self.index("--json", *options)
        assert done.returncode == 0, done.stderr
        [report] = json.loads(done.stdout)["sources"]
        return report

    def refused(self, *options: str, code: int = 2) -> str:
        """Run a command that must fail with one line, and return the line."""
        done = self.index(*options)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        return line

    def ids(self) -> list[str]:
        done = self.command("search", self.config, "--text", "thing", "-k", "16000", "--json")
        assert done.returncode == 0, done.stderr
        return [hit["id"] for hit in json.loads(done.stdout)["hits"]]

    def assert_search_tells(self, warning: str, *options: str) -> None:
        """Search, and look for a warning; none at all if it is empty."""
        warn.cache_clear()
        done = self.command("search", self.config, "--text", "thing", *options)
        told = f"tiepoint: warning: {warning}\n" if warning else ""
        assert (done.returncode, done.stderr) == (0, told)

    def picture(self, name: str, colour: tuple[int, int, int] = (200, 10, 10), **sidecar) -> Path:
        path = self.pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 24), colour).save(path)
        path.with_suffix(".json").write_text(json.dumps({"text": "thing", **sidecar}))
        return path

    def child(self) -> subprocess.Popen[str]:
        """Start `index` and return when its first batch is written."""
        process = subprocess.Popen(
            [TIEPOINT, "index", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        line = process.stderr.readline()
        assert re.match(r"tiepoint: things: \d+ of ", line), line + process.stderr.read()
        return process


@pytest.fixture
def place(tmp_path, tiepoint_here) -> Workplace:
    return Workplace(tmp_path, tiepoint_here)


def bomb() -> bytes:
    """A PNG of a few hundred kB that claims, truthfully, to be 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (5001 * 40_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def break_pictures(place: Workplace) -> list[str]:
    """Write broken pictures of every kind; returns their names."""
    place.pictures.mkdir(exist_ok=True)
    whole = place.picture("whole.png").read_bytes()
    (place.pictures / "whole.json").unlink()
    contents = {
        "bomb.png": bomb(),
        "empty.jpg": b"",
        "text.jpg": b"this is no picture at all",
        "short.png": whole[: len(whole) // 2],
    }
    (place.pictures / "whole.png").unlink()
    for name, content in contents.items():
        (place.pictures / name).write_bytes(content)
    place.picture("sidecar.png").with_suffix(".json").write_text("{")
    return [*contents, "sidecar.png"]


def test_what_is_there_unchanged_is_neither_encoded_nor_written_again(place):
    for n in range(3):
        place.picture(f"{n}.png", (n, 0, 0))
    first = place.report()
    assert (first["added"], first["unchanged"], first["skipped"]) == (3, 0, [])
    place.picture("1.png", (1, 0, 0), metadata={"price": 3.0})
    second = place.report()
    assert (second["added"], second["unchanged"], second["encoded"]) == (1, 2, 0)
    assert sorted(place.ids()) == ["0.png", "1.png", "2.png"]


def test_broken_pictures_are_reported_and_skipped(place):
    broken = break_pictures(place)
    place.picture("good.png")
    report = place.report()
    assert (report["added"], len(report["skipped"])) == (1, len(broken))
    told = " ".join(skipped["where"] + skipped["reason"] for skipped in report["skipped"])
    assert all(name in told for name in broken)
    assert place.ids() == ["good.png"]

    again = place.index()
    assert again.returncode == 0
    assert again.stderr.count("tiepoint: skipped ") == len(broken)
    assert again.stdout.startswith("things: 0 added, 1 unchanged, 5 skipped")


def test_strict_ends_at_the_first_broken_picture_and_writes_nothing_of_its_batch(place):
    place.picture("good.png")
    (place.pictures / "text.jpg").write_bytes(b"this is no picture at all")
    assert "text.jpg" in place.refused("--strict")
    assert place.ids() == []


def test_a_folder_of_broken_pictures_is_an_error_and_leaves_nothing(place):
    broken = break_pictures(place)
    done = place.index()
    assert done.returncode == 2
    *told, last = done.stderr.splitlines()
    assert f"source things: no item could be read, {len(broken)} were skipped" in last
    assert [any(name in line for line in told) for name in broken] == [True] * len(broken)

    as_json = place.index("--json")
    assert as_json.returncode == 2
    [report] = json.loads(as_json.stdout)["sources"]
    assert len(report["skipped"]) == len(broken)
    assert place.ids() == []


def test_a_search_of_an_empty_store_says_so(place):
    break_pictures(place)
    assert place.index().returncode == 2
    place.assert_search_tells(f"the collection is empty. Fill it: tiepoint index {place.config}")
    place.picture("good.png")
    assert place.index().returncode == 0
    place.assert_search_tells("")
    place.assert_search_tells("", "--filter", "price > 1")


def test_names_and_texts_cannot_give_a_terminal_orders(place):
    place.picture("\u202ered.png", text="thing \x1b]0;title\x07 \u202e")
    (place.pictures / "\x1b[2Jbroken.png").write_bytes(b"")
    place.picture("\x1b[31mred.png")
    shown = place.index()
    assert "skipped \\x1b[2Jbroken.png" in shown.stderr
    assert "skipped \\x1b[31mred.png" in shown.stderr
    found = place.command("search", place.config, "--text", "thing")
    assert "\\u202ered.png" in found.stdout
    assert "\\x1b]0;title" in found.stdout
    for output in (shown.stderr, shown.stdout, found.stdout):
        assert not set("\x1b\x07\u202e") & set(output)
    assert place.ids() == ["\u202ered.png"]


def test_rows_that_are_no_unicode_do_not_cost_the_report(place):
    (place.folder / "things.jsonl").write_text(
        '{"key": "d\\ud800", "title": "thing"}\n{"key": "e", "title": "thing \\u009b"}\n'
        '{"key": "f", "title": "thing", "price": ' + "1" * 5000 + "}\n"
    )
    place.use(TABLE.replace("csv", "jsonl"))
    report = place.report()
    assert (report["added"], len(report["skipped"])) == (1, 2)
    assert place.ids() == ["e"]


def test_an_empty_and_a_missing_folder_are_errors(place):
    assert "no such folder" in place.refused()
    place.pictures.mkdir()
    assert "the folder holds no image" in place.refused()


def test_the_same_id_twice_writes_nothing(place):
    place.picture("a.png", id="x")
    place.picture("b.png", id="x")
    assert "'x' is given twice: by a.png and by b.png" in place.refused()
    place.use(TABLE)
    (place.folder / "things.csv").write_text("key,title,price\na,thing,1\nb,thing,2\na,thing,3\n")
    assert "'a' is given twice: in row 2 and in row 4" in place.refused()
    assert place.ids() == []


def test_metadata_of_the_wrong_type_is_told_by_item_and_field(place):
    place.picture("good.png", metadata={"price": 2, "tags": ["x"]})
    place.picture("type.png", metadata={"price": "cheap"})
    place.picture("unknown.png", metadata={"prise": 2})
    report = place.report()
    assert report["added"] == 1
    told = {skipped["where"]: skipped["reason"] for skipped in report["skipped"]}
    assert "price" in told["type.png"]
    assert "prise" in told["unknown.png"]
    assert "price" in place.refused("--strict")


def test_a_source_that_is_not_there_is_named(place):
    assert "there is no source 'thing'" in place.refused("--source", "thing")
    place.config.write_text(place.config.read_text().partition("sources:")[0])
    assert "names no sources" in place.refused()


def test_after_kill_9_another_run_loses_and_doubles_nothing(place):
    count = 640
    place.pictures.mkdir()
    generator = np.random.default_rng(7)
    for n, colour in enumerate(generator.integers(0, 256, (count, 3))):
        place.picture(f"{n:04}.png", tuple(colour.tolist()))
    process = place.child()
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL

    report = place.report()
    assert report["added"] + report["unchanged"] == count
    assert report["unchanged"] >= FIRST_BATCH
    assert report["encoded"] <= count - FIRST_BATCH
    assert sorted(place.ids()) == [f"{n:04}.png" for n in range(count)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_its_code_closes_the_store_and_keeps_what_was_written(
    place, number, code
):
    count = 60_000
    rows = "".join(f"{n:05},thing,{n}\n" for n in range(count))
    (place.folder / "things.csv").write_text("key,title,price\n" + rows)
    place.use(TABLE)
    process = place.child()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "what was written is kept" in errors
    assert json.loads((place.folder / "store" / "store.json").read_text())["clean"]
    assert not (place.folder / "store" / "owner.json").exists()
    assert len(place.ids()) >= FIRST_BATCH


@pytest.fixture
def running(place):
    """Another process that serves the deployment's store."""
    run = subprocess.Popen([TIEPOINT, "run", str(place.config)], stdout=subprocess.PIPE, text=True)
    try:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("ready: ")
        yield run
    finally:
        run.terminate()
        assert run.wait(timeout=60) == 0


def test_where_a_process_holds_the_store_that_process_writes(place, running):
    place.assert_search_tells(f"the collection is empty. Fill it: tiepoint index {place.config}")
    place.picture("a.png", metadata={"price": 2.5, "tags": ["x"]})
    place.picture("b.png", (0, 200, 0))
    (place.pictures / "broken.png").write_bytes(b"this is no picture at all")
    report = place.report()
    assert (report["added"], len(report["skipped"])) == (2, 1)
    assert report["encoded"] + report["cached"] == 2
    assert running.poll() is None
    assert sorted(place.ids()) == ["a.png", "b.png"]
    (place.pictures / "b.png").unlink()
    again = place.report("--prune")
    assert (again["added"], again["unchanged"], again["removed"]) == (0, 1, 1)
    assert place.ids() == ["a.png"]


def test_a_process_that_serves_other_encoders_is_not_written_to(place, running):
    place.picture("a.png")
    place.config.write_text(place.config.read_text().replace("preset: fast", "preset: accurate"))
    line = place.refused()
    assert "serves it with other encoders or fields" in line
    assert "--migrate" in line


HOLDER = """
import sys, time
from pathlib import Path
from tiepoint.index.ownership import StoreLock
Path(sys.argv[1]).mkdir(exist_ok=True)
StoreLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_process_that_holds_the_store_and_takes_no_calls_is_named(place):
    place.picture("a.png")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place.folder / "store")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert re.search(f"process {holder.pid} .*takes no calls", place.refused())
    finally:
        holder.kill()
        holder.wait()


def test_prune_removes_what_the_folder_no_longer_has_and_nothing_else(place):
    for name in ("a.png", "b.png", "sub/c.png", "d.png"):
        place.picture(name)
    (place.folder / "things.csv").write_text("key,title,price\nrow,thing,1\n")
    place.report()
    place.use(TABLE)
    place.report()
    place.use(FOLDER)
    (place.pictures / "a.png").unlink()
    (place.pictures / "b.png").write_bytes(b"this is no picture now")
    (place.pictures / "sub" / "c.png").unlink()
    place.picture("d.png", id="renamed")
    assert place.report()["removed"] == 0
    report = place.report("--prune")
    assert report["removed"] == 3
    assert sorted(place.ids()) == ["b.png", "renamed", "row"]


def test_prune_refuses_a_folder_that_came_up_empty_and_a_source_that_cannot_tell(place):
    kept = place.picture("a.png")
    place.report()
    kept.unlink()
    assert "the folder holds no image" in place.refused("--prune")
    place.pictures.joinpath("b.png").write_bytes(b"this is no picture at all")
    assert place.index("--prune").returncode == 2
    assert place.ids() == ["a.png"]
    (place.folder / "things.csv").write_text("key,title,price\nrow,thing,1\n")
    place.use(TABLE)
    assert "cannot tell which stored items are its own" in place.refused("--prune")
