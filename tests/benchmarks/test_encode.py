"""`bench encode` measures every engine on the same files and writes the documented JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from tiepoint_adapters.benchmarks.encode import bench_encode
from tiepoint_adapters.benchmarks.photographs import write_photographs
from tiepoint_adapters.benchmarks.sentences import sentences


def test_report_has_a_row_for_every_engine(tmp_path: Path) -> None:
    file = tmp_path / "encode.json"
    options = ["--images", "16", "--texts", "16", "--rounds", "1", "--json", str(file)]
    done = CliRunner().invoke(bench_encode, options, catch_exceptions=False)
    assert done.exit_code == 0
    content = json.loads(file.read_text())
    assert set(content) == {"rows", "machine", "versions"}
    images = {
        row["engine"]: row["images_per_s"] for row in content["rows"] if "images_per_s" in row
    }
    texts = {row["engine"]: row["texts_per_s"] for row in content["rows"] if "texts_per_s" in row}
    assert set(images) == {"tiepoint", "timm-pil", "runtime"}
    assert set(texts) == {"tiepoint-text", "transformers-text"}
    assert min([*images.values(), *texts.values()]) > 0
    assert content["machine"]["usable_cores"] >= 1
    assert content["versions"]["tiepoint"]


def test_photographs_are_distinct_jpegs_of_one_size(tmp_path: Path) -> None:
    files = write_photographs(tmp_path, 20)
    assert len({file.read_bytes() for file in files}) == 20
    for file in files:
        with Image.open(file) as image:
            assert (image.format, image.size) == ("JPEG", (500, 375))
            assert np.asarray(image).std() > 5


def test_sentences_are_distinct_and_of_many_lengths() -> None:
    texts = sentences(200)
    assert len(set(texts)) == 200
    assert {len(text.split()) // 15 for text in texts} >= {0, 1, 2, 3}
