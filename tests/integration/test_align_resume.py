"""`tiepoint align fit` is killed and interrupted, and goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.integration.pair_encoders import register, write_deployment, write_pairs
from tiepoint.cli.main import main

ROOT = Path(__file__).parents[2]
EPOCHS = 60
LIMIT_S = 240
OPTIONS = {"epochs": EPOCHS, "patience": EPOCHS, "canonical": "null", "dim": 16, "batch": 50}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """150 pictures with two texts each, and a deployment with small encoders of both."""
    import torch

    threads = torch.get_num_threads()
    # More of them would add in another order.
    torch.set_num_threads(1)
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    write_pairs(tmp_path)
    write_deployment(tmp_path)
    undo = register()
    yield tmp_path
    undo()
    torch.set_num_threads(threads)


def words(folder, out):
    return [
        *("align", "fit", "--method=contrastive", "--val=val", f"--out={folder / out}"),
        *(f"--pairs={folder / 'pairs.csv'}", f"--config={folder / 'deploy.yaml'}"),
        *(f"--set={name}={value}" for name, value in OPTIONS.items()),
    ]


def epoch_of(folder):
    """Return the epoch at which the checkpoint stands; 0 if there is none."""
    from safetensors import safe_open

    path = folder / "cut" / "checkpoint" / "training.safetensors"
    if not path.exists():
        return 0
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["progress"])["epoch"]


def when_beyond(folder, epoch, act):
    """Act when the checkpoint is beyond an epoch."""
    until = time.monotonic() + LIMIT_S
    while epoch_of(folder) <= epoch:
        assert time.monotonic() < until
        time.sleep(0.002)
    act()


def test_a_killed_and_interrupted_fit_ends_with_the_same_bytes(folder, capsys):
    assert main(words(folder, "whole")) == 0
    whole = capsys.readouterr().out

    core = str(min(os.sched_getaffinity(0)))
    program = (sys.executable, "-m", "tests.integration.pair_encoders")
    command = ["taskset", "--cpu-list", core, *program, *words(folder, "cut")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        when_beyond(folder, 3, process.kill)
    assert process.returncode == -signal.SIGKILL
    killed_at = epoch_of(folder)
    assert 3 < killed_at < EPOCHS
    assert not (folder / "cut" / "aligner.json").exists()

    interrupt = threading.Thread(
        target=when_beyond,
        args=(folder, killed_at + 3, lambda: os.kill(os.getpid(), signal.SIGINT)),
    )
    interrupt.start()
    assert main(words(folder, "cut")) == 130
    interrupt.join()
    last = capsys.readouterr().err.splitlines()[-2:]
    assert "run the command again to go on" in last[0]
    assert last[1] == "tiepoint: interrupted"
    assert killed_at + 3 < epoch_of(folder) < EPOCHS

    assert main(words(folder, "cut")) == 0
    resumed = capsys.readouterr()
    assert "step 1 of" not in resumed.err
    names = {path.name for path in (folder / "cut").iterdir()}
    assert names == {"aligner.json", "aligner.safetensors"}
    one, other = ((folder / name / "aligner.safetensors").read_bytes() for name in ("whole", "cut"))
    assert one == other
    figures = [[line for line in out.splitlines() if "R@1" in line] for out in (whole, resumed.out)]
    assert figures[0] == figures[1] != []
