"""The example runs from end to end on the files that come with pydicom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "medical.py"


def test_the_example_matches_both_ways_and_shows_a_picture(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "kept"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sentence, image = done.stdout.split("An image finds")
    first = sentence.split("A sentence finds:")[1].strip().splitlines()[0]
    assert "pleural effusion with basilar atelectasis" in first or "left effusion" in first
    assert "degenerative change" not in image
    kept = tmp_path / "kept"
    assert (kept / "CT_small.png").read_bytes().startswith(b"\x89PNG")
    assert (kept / "store").is_dir()
    assert (kept / "state").is_dir()
