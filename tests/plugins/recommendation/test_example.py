"""The example finds the planted tastes, with the encoders and the file that it comes with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "recommendation.py"


def test_the_example_earns_more_clicks_than_what_is_popular(tmp_path):
    words = ("--users", "200", "--items", "144", "--folder", tmp_path)
    done = subprocess.run(
        [sys.executable, EXAMPLE, *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "because you clicked" in done.stdout
    assert "`most_price` left out the last" in done.stdout
    assert "the blend earns at least 0.0" in done.stdout
    assert (tmp_path / "shop" / "tastes.json").exists()
