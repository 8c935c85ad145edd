"""What `align eval` says of the shipped aligner is what a host finds, through add and search."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TIEPOINT_DATA", ROOT.parent / "shared" / "data")) / "flickr8k"
IMAGES = 40


@pytest.mark.slow
def test_search_gives_the_ranks_of_the_evaluation(tmp_path: Path) -> None:
    if not (DATA / "pairs.csv").is_file():
        pytest.skip("needs flickr8k under TIEPOINT_DATA")
    lines = (DATA / "pairs.csv").read_text("utf-8").splitlines()
    held_out = [line for line in lines[1:] if line.endswith(",val")]
    images = list(dict.fromkeys(line.partition(",")[0] for line in held_out))[:IMAGES]
    kept = [line for line in held_out if line.partition(",")[0] in images]
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("\n".join([lines[0], *kept]) + "\n", "utf-8")
    script = ROOT / "examples" / "host_protocol.py"
    done = subprocess.run(
        [sys.executable, script, pairs, "--root", DATA, "--depth", "100"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("0 of 240 ranks differ") == 2
