"""`tiepoint security fit` and `eval` on made footage."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.command_line import tiepoint
from tests.moving_squares import footage, write

FRAMES = 60


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five ordinary clips and two with a fast square, with labels."""
    root = tmp_path_factory.mktemp("data")
    for seed in range(5):
        write(footage(FRAMES, seed), root / "training" / f"{seed:02d}")
    rows = []
    for clip, fast_from in (("01", 30), ("02", 20)):
        paths = write(footage(FRAMES, 50 + int(clip), fast_from=fast_from), root / "testing" / clip)
        rows += [(f"testing/{clip}/{p.name}", int(t >= fast_from)) for t, p in enumerate(paths)]
    with (root / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "anomaly"), *rows])
    return root


def evaluate(data: Path, out: Path, labels: Path | None = None) -> list[dict[str, str]]:
    done = tiepoint(
        *("security", "eval", "--train", data / "training", "--test", data / "testing"),
        *("--labels", labels or data / "labels.csv", "--fps", "10"),
        *("--json", out / "figures.json", "--scores", out / "scores.csv"),
    )
    assert done.returncode == 0, done.stderr
    with (out / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_fast_squares_are_found_and_files_are_named_as_the_labels_name_them(
    data: Path, tmp_path: Path
) -> None:
    rows = evaluate(data, tmp_path)
    with (data / "labels.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [row["file"] for row in labels]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["auc"] > 0.95
    assert figures["alarms"]["events_found"] == figures["alarms"]["events"] == 2
    assert figures["alarms"]["median_time_to_alert_s"] <= 1.5
    assert figures["held_out_false_alarms"]["hours"] == pytest.approx(5 * FRAMES / 36000)


def test_scores_of_a_cut_off_clip_are_those_of_the_whole(data: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = {row["file"]: row["score"] for row in evaluate(data, tmp_path / "whole")}
    cut = tmp_path / "cut"
    (cut / "testing" / "01").mkdir(parents=True)
    for t in range(40):
        name = f"{t:03d}.png"
        content = (data / "testing" / "01" / name).read_bytes()
        (cut / "testing" / "01" / name).write_bytes(content)
    (cut / "training").symlink_to(data / "training")
    lines = (data / "labels.csv").read_text().splitlines()
    (cut / "labels.csv").write_text("\n".join(lines[:41]) + "\n")
    (tmp_path / "part").mkdir()
    rows = evaluate(cut, tmp_path / "part")
    assert len(rows) == 40
    assert all(row["score"] == whole[row["file"]] for row in rows)


def test_fitted_camera_is_saved(data: Path, tmp_path: Path) -> None:
    done = tiepoint(
        "security", "fit", "--train", data / "training", "--out", tmp_path / "camera", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 5 * FRAMES
    assert (tmp_path / "camera" / "normality.safetensors").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,anomaly\ntesting/01/999.png,1\n", "999.png"),
        ("file,anomaly\ntesting/01/000.png,yes\n", "'yes'"),
        ("picture,label\na,1\n", "file,anomaly"),
        ("file,anomaly\ntesting/01/000.png,1\ntesting/01/000.png,0\n", "two labels"),
        ("", "no labels"),
    ],
)
def test_bad_labels_are_told_in_one_line(data: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    done = tiepoint(
        *("security", "eval", "--train", data / "training", "--test", data / "testing"),
        *("--labels", tmp_path / "labels.csv"),
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
