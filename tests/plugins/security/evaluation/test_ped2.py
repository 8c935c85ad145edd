"""The anomaly protocol on UCSD Ped2, where the data is there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.command_line import tiepoint

DATA = Path(os.environ.get("TIEPOINT_DATA", "../shared/data")) / "ucsd_ped2"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs ucsd_ped2 under TIEPOINT_DATA")
def test_figures_on_ped2_are_kept(tmp_path: Path) -> None:
    done = tiepoint(
        *("security", "eval", "--train", DATA / "training", "--test", DATA / "testing"),
        *("--labels", DATA / "frame_labels.csv", "--json", tmp_path / "figures.json"),
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["auc"] >= 0.975
    assert figures["alarms"]["event_recall"] == 1
    assert figures["alarms"]["median_time_to_alert_s"] <= 1
