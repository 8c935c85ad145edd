"""A module runs in OpenVINO as in torch, is exported once, and falls back openly."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tiepoint.encoders.runtimes import compile_model
from tiepoint.encoders.runtimes.openvino import compile_module
from tiepoint.errors import ConfigError


class Words(torch.nn.Module):
    """The mean of embedded words, through a wide layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(50, 512)
        self.layer = torch.nn.Sequential(torch.nn.Linear(512, 2048), torch.nn.GELU())
        self.out = torch.nn.Linear(2048, 64)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        mask = attention_mask.unsqueeze(-1)
        mean = (self.table(input_ids) * mask).sum(1) / mask.sum(1)
        result: torch.Tensor = self.out(self.layer(mean))
        return result


def inputs(rows: int, length: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(rows)
    mask = np.ones((rows, length), np.int64)
    mask[0, length // 2 :] = 0
    return {"input_ids": random.integers(0, 50, (rows, length)), "attention_mask": mask}


DYNAMIC = {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask")}


def expected(given: dict[str, np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return Words().eval()(**{k: torch.from_numpy(v) for k, v in given.items()}).numpy()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path))
    return tmp_path / "models"


def test_output_is_torchs_in_float32_for_every_shape(cache: Path) -> None:
    runner = compile_model("words", Words, inputs(2, 5), DYNAMIC, "cpu")
    assert runner.name == "openvino:CPU"
    for rows, length in [(1, 3), (5, 9), (33, 2), (70, 17)]:
        given = inputs(rows, length)
        result = runner(given)
        assert result.dtype == np.float32
        # bfloat16, which OpenVINO would choose by itself on some CPUs, is off by 1e-2.
        np.testing.assert_allclose(result, expected(given), atol=2e-5)


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_batches_of_different_shapes_are_computed_together(cache: Path, device: str) -> None:
    runner = compile_model("words", Words, inputs(2, 5), DYNAMIC, device)
    given = [inputs(rows, length) for rows, length in [(8, 9), (20, 7), (3, 5), (12, 2)]]
    for batches in (given, given[2:3], [inputs(1, 4), inputs(2, 3)]):
        for batch, result in zip(batches, runner.all(batches), strict=True):
            np.testing.assert_allclose(result, expected(batch), atol=2e-5)


def test_second_use_does_not_build_the_module(cache: Path) -> None:
    compile_module("words", Words, inputs(2, 5), DYNAMIC)

    def never() -> torch.nn.Module:
        raise AssertionError("built again")

    infer = compile_module("words", never, inputs(2, 5), DYNAMIC)
    np.testing.assert_allclose(infer([inputs(3, 4)])[0], expected(inputs(3, 4)), atol=2e-5)


def test_second_process_imports_no_torch(cache: Path) -> None:
    compile_module("words", Words, inputs(2, 5), DYNAMIC)
    code = """
import sys, numpy as np
from tiepoint.encoders.runtimes import compile_model
given = {"input_ids": np.ones((2, 5), np.int64), "attention_mask": np.ones((2, 5), np.int64)}
dynamic = {name: {0: "batch", 1: "length"} for name in given}
runner = compile_model("words", None, given, dynamic, "cpu")
assert runner(given).shape == (2, 64)
assert "torch" not in sys.modules and "timm" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("file", "damage"), [("model.bin", "cut"), ("model.xml", "gone"), ("sha256.json", "cut")]
)
def test_damaged_export_is_made_again(
    cache: Path, file: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    compile_module("words", Words, inputs(2, 5), DYNAMIC)
    (stored,) = cache.glob("words*")
    if damage == "gone":
        (stored / file).unlink()
    else:
        (stored / file).write_bytes((stored / file).read_bytes()[:-7])
    infer = compile_module("words", Words, inputs(2, 5), DYNAMIC)
    assert "made again" in caplog.text
    np.testing.assert_allclose(infer([inputs(3, 4)])[0], expected(inputs(3, 4)), atol=2e-5)
    assert sorted(f.name for f in cache.iterdir()) == [stored.name]


def test_failed_export_leaves_nothing_behind(cache: Path) -> None:
    def broken() -> torch.nn.Module:
        raise ValueError("no such weights")

    with pytest.raises(ValueError, match="no such weights"):
        compile_module("words", broken, inputs(2, 5), DYNAMIC)
    assert not list(cache.iterdir())


def test_openvino_neither_reports_nor_writes_in_the_home_folder(
    cache: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = """
import sys, numpy as np, torch
from tiepoint.encoders.runtimes import compile_model
example = {"input": np.ones((2, 4), np.float32)}
runner = compile_model("line", lambda: torch.nn.Linear(4, 2), example, {"input": {0: "n"}}, "cpu")
assert runner.name == "openvino:CPU", runner.name
assert sys.modules.get("openvino_telemetry") is None
"""
    environment = {**os.environ, "HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env=environment)
    assert not list(home.iterdir())


class Ordered(torch.nn.Module):
    """A module whose trace is wrong for its own example: it counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return torch.sin(x * self.calls)


def test_export_that_computes_something_else_runs_in_torch_and_says_so(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    example = {"x": np.linspace(0, 3, 12, dtype=np.float32).reshape(3, 4)}
    with caplog.at_level(logging.WARNING):
        runner = compile_model("ordered", Ordered, example, {"x": {0: "batch"}}, "cpu")
    assert runner.name == "torch:cpu"
    assert "differs from torch" in caplog.text
    np.testing.assert_allclose(runner(example), np.sin(example["x"]), atol=1e-6)


def test_torch_on_the_cpu_is_the_same(cache: Path) -> None:
    runner = compile_model("words", Words, inputs(2, 5), DYNAMIC, "torch:cpu")
    assert runner.name == "torch:cpu"
    np.testing.assert_allclose(runner(inputs(40, 4)), expected(inputs(40, 4)), atol=2e-5)


def test_equal_keys_share_one_runner(cache: Path) -> None:
    def ask(key: str) -> Any:
        return compile_model(key, Words, inputs(2, 5), DYNAMIC, "torch:cpu")

    first = ask("words")
    assert ask("words") is first
    assert ask("other") is not first


def test_device_that_is_not_there_is_one_clear_line() -> None:
    for device in ("gpu", "cuda:99", "cuda:x"):
        with pytest.raises(ConfigError, match="device"):
            compile_model("words", Words, inputs(2, 5), DYNAMIC, device)


@pytest.mark.usefixtures("small_disk")
def test_model_that_the_cache_has_no_room_for_runs_from_a_temporary_folder(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runner = compile_model("words on a full disk", Words, inputs(2, 5), DYNAMIC, "cpu")
    assert runner.name == "openvino:CPU"
    np.testing.assert_allclose(runner(inputs(3, 4)), expected(inputs(3, 4)), atol=2e-5)
    [record] = [r for r in caplog.records if r.name == "tiepoint.paths"]
    assert "the cache cannot be used" in record.getMessage()

    def never() -> torch.nn.Module:
        raise AssertionError("built again")

    compile_module("words on a full disk", never, inputs(2, 5), DYNAMIC)


@pytest.mark.usefixtures("no_cache")
def test_model_runs_where_no_cache_can_be_made() -> None:
    infer = compile_module("words without a cache", Words, inputs(2, 5), DYNAMIC)
    np.testing.assert_allclose(infer([inputs(3, 4)])[0], expected(inputs(3, 4)), atol=2e-5)
