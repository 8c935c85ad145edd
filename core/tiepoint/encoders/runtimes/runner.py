"""Compile a PyTorch module for this machine, and run it through the process's executor."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.encoders.runtimes.devices import choose_device
from tiepoint.inference import Infer, Inputs, inference_executor, rows_of

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

MAX_BATCH = 32

_runners: weakref.WeakValueDictionary[tuple[str, str], Runner] = weakref.WeakValueDictionary()
_compiling = threading.Lock()


class Runner:
    """A compiled model, safe to call from several threads.

    Calls are queued in the process's executor at the priority of the calling context (see
    `tiepoint.threads.prioritised`); larger batches are cut into pieces of `max_batch` rows, so
    that a more urgent call waits for one piece at most, and small calls that wait at the same
    time are merged if their shapes agree.

    Attributes:
        name: The runtime and its device, such as `openvino:CPU` or `torch:cuda`.
        max_batch: Most rows that are inferred in one go.
    """

    def __init__(self, name: str, infer: Infer, max_batch: int) -> None:
        self.name = name
        self.max_batch = max_batch
        self._infer = infer

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Vectors:
        """Return the model's output, float32 with n rows, for n >= 1 rows of every input.

        Args:
            inputs: Arrays by the names of the module's `forward` arguments, of the dtypes of
                the example that it was compiled with, each with n rows on the first axis.
        """
        pieces = [
            {name: array[start : start + self.max_batch] for name, array in inputs.items()}
            for start in range(0, rows_of(inputs), self.max_batch)
        ]
        results = self.all(pieces)
        return results[0] if len(results) == 1 else np.concatenate(results)

    def all(self, batches: Sequence[Inputs]) -> list[Vectors]:
        """Return the output for batches of different shapes, computed side by side.

        Args:
            batches: As a call takes them, none of more rows than `max_batch`; best the ones
                that take longest first.
        """
        executor = inference_executor()
        jobs = [
            executor.submit(self._infer, job, self.max_batch)
            for job in _jobs(batches, self.max_batch)
        ]
        return [rows for job in jobs for rows in job.result()]


def _jobs(batches: Sequence[Inputs], most: int) -> Iterator[Sequence[Inputs]]:
    """Yield neighbouring batches together, of at most so many rows."""
    job: list[Inputs] = []
    rows = 0
    for batch in batches:
        if job and rows + rows_of(batch) > most:
            yield job
            job, rows = [], 0
        job.append(batch)
        rows += rows_of(batch)
    if job:
        yield job


def compile_model(
    key: str,
    build: Callable[[], torch.nn.Module],
    example: Mapping[str, NDArray[Any]],
    dynamic: Mapping[str, Mapping[int, str]],
    device: str = "auto",
    max_batch: int = MAX_BATCH,
) -> Runner:
    """Compile a module for this machine: OpenVINO on a CPU, torch on CUDA or MPS.

    What OpenVINO runs is exported once and kept under `cache_dir("models")`, so that later
    processes import no torch; `build` is not called then. It computes in float32 on every
    machine, and an export whose output differs from torch's (cosine under 0.9999 on
    `example`) is not used: the module then runs in torch, which is logged. Calls with the
    same key and device share one runner.

    >>> runner = compile_model(  # doctest: +SKIP
    ...     "minilm/" + weights_hash,
    ...     build,  # returns a module with forward(self, input_ids, attention_mask)
    ...     {"input_ids": ids, "attention_mask": mask},  # int64, (2, 16) each
    ...     {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask")},
    ... )
    >>> runner({"input_ids": ids, "attention_mask": mask}).shape  # doctest: +SKIP
    (2, 384)

    Args:
        key: Names everything that the module's output depends on (architecture, weights'
            hash, pooling, ...); a change of it is a new export. Versions of the runtime are
            added here.
        build: Makes the module in evaluation mode; imports torch itself. Its `forward` takes
            the inputs by name, in the order of `example`, and returns one tensor (n, ...).
        example: Realistic arrays by input name, n rows each (2 or more, so that nothing is
            specialised to one row); they fix ranks and dtypes.
        dynamic: The axes that vary, by input name, with a name for each; axis 0 must be there.
        device: `auto`, `cpu` (OpenVINO), `torch:cpu`, `cuda`, `cuda:1`, ... or `mps`.
        max_batch: Most rows that are inferred in one go.

    Raises:
        ConfigError: The device is unknown or not there.
    """
    chosen = choose_device(device)
    with _compiling:
        runner = _runners.get((key, chosen))
        if runner is None:
            name, infer = _compile(key, build, example, dynamic, chosen)
            runner = _runners[key, chosen] = Runner(name, infer, max_batch)
        return runner


def _compile(
    key: str,
    build: Callable[[], torch.nn.Module],
    example: Mapping[str, NDArray[Any]],
    dynamic: Mapping[str, Mapping[int, str]],
    device: str,
) -> tuple[str, Infer]:
    """Return the runtime's name and its function."""
    if device == "cpu":
        from tiepoint.encoders.runtimes import openvino

        try:
            return "openvino:CPU", openvino.compile_module(key, build, example, dynamic)
        except openvino.ExportError as error:
            logger.warning("%s runs in torch, which is slower: %s", key, error)
            device = "torch:cpu"
    from tiepoint.encoders.runtimes import eager

    device = device.removeprefix("torch:")
    return f"torch:{device}", eager.place_module(build, device)
