"""`examples/security.py` raises an alert with its evidence, and finds moments by words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.videos import packaged_clip
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.decoding import frame_times

EXAMPLE = Path(__file__).parents[2] / "examples" / "security.py"


def test_the_example_shows_an_alert_and_finds_the_street(tmp_path):
    packaged_clip("bikes.mp4")
    done = subprocess.run(
        [sys.executable, EXAMPLE, "made"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert len(re.findall(r"^alert: nobody_in_the_yard on gate at ", told, re.MULTILINE)) == 1
    evidence = dict(re.findall(r"^  (\w+): (\S+security/evidence\S+)$", told, re.MULTILINE))
    assert {"clip", "heatmap", "snapshot", "usual"} <= set(evidence)
    assert Path(evidence["clip"]).is_relative_to(tmp_path / "made")
    assert len(frame_times(Clip(Path(evidence["clip"])))) > 10  # a busy machine drops some
    answers = re.split(r"^search: ", told, flags=re.MULTILINE)[1:]
    firsts = [re.search(r"Z (\w+) \(", answer) for answer in answers]
    assert [first and first[1] for first in firsts] == ["street", "street", "gate"]
    for answer in answers:
        page = re.search(r"page: (\S+)", answer)
        assert page
        assert Path(page[1]).read_text("utf-8").count("<li>") == 2
