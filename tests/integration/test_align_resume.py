"""`tiepoint align fit` is interrupted, killed, and goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.pair_encoders import write_deployment, write_pairs

ROOT = Path(__file__).parents[2]
EPOCHS = 60
LIMIT_S = 60


@pytest.fixture
def folder(tmp_path):
    """150 pictures with two texts each, and a deployment with small encoders of both."""
    write_pairs(tmp_path)
    write_deployment(tmp_path)
    return tmp_path


def start(folder, out):
    """Start a fit on one core, where threads cannot change the order of sums."""
    options = {"epochs": EPOCHS, "patience": EPOCHS, "canonical": "null", "dim": 16, "batch": 50}
    cores = sorted(os.sched_getaffinity(0))
    core = cores[0] if out == "whole" else cores[-1]
    command = (sys.executable, "-m", "tests.integration.pair_encoders", "align", "fit")
    return subprocess.Popen(
        [
            *("taskset", "--cpu-list", str(core), *command, "--method=contrastive", "--val=val"),
            *(f"--pairs={folder / 'pairs.csv'}", f"--config={folder / 'deploy.yaml'}"),
            f"--out={folder / out}",
            *(f"--set={name}={value}" for name, value in options.items()),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TIEPOINT_CACHE": str(folder / f"cache-{out}")},
    )


def epoch_of(folder, out):
    """Return the epoch at which a fit's checkpoint stands; 0 if there is none."""
    from safetensors import safe_open

    path = folder / out / "checkpoint" / "training.safetensors"
    if not path.exists():
        return 0
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["progress"])["epoch"]


def stopped(process, folder, epoch, sign):
    """Send a signal when the checkpoint is beyond an epoch; returns exit code and stderr."""
    until = time.monotonic() + LIMIT_S
    while epoch_of(folder, "cut") <= epoch:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.005)
    process.send_signal(sign)
    err = process.communicate(timeout=LIMIT_S)[1]
    return process.returncode, err


def test_an_interrupted_and_killed_fit_ends_with_the_same_bytes(folder):
    whole = start(folder, "whole")
    code, err = stopped(start(folder, "cut"), folder, 3, signal.SIGINT)
    assert code == 130
    assert "run the command again to go on" in err
    assert err.splitlines()[-1] == "tiepoint: interrupted"
    interrupted_at = epoch_of(folder, "cut")
    code, _ = stopped(start(folder, "cut"), folder, interrupted_at + 3, signal.SIGKILL)
    assert code == -signal.SIGKILL
    killed_at = epoch_of(folder, "cut")
    assert interrupted_at < killed_at < EPOCHS
    assert not (folder / "cut" / "aligner.json").exists()
    last = start(folder, "cut")
    resumed, err = last.communicate(timeout=LIMIT_S)
    assert last.returncode == 0, err
    out, err = whole.communicate(timeout=LIMIT_S)
    assert whole.returncode == 0, err
    names = {path.name for path in (folder / "cut").iterdir()}
    assert names == {"aligner.json", "aligner.safetensors"}
    one, other = ((folder / name / "aligner.safetensors").read_bytes() for name in ("whole", "cut"))
    assert one == other
    figures = [line for line in out.splitlines() if "R@1" in line]
    assert figures == [line for line in resumed.splitlines() if "R@1" in line]
