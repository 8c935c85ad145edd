"""Export a module to OpenVINO once, keep the export, and compile it for this CPU."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.encoders.runtimes.stored import StoredModel
from tiepoint.inference import Infer, Inputs, rows_of
from tiepoint.threads import native_threads

if TYPE_CHECKING:
    import torch

MIN_COSINE = 0.9999
MODEL_FILE = "model.xml"
FEW_ROWS = 4
"""Rows for each thread below which the threads share them."""
VALUES_A_PART = 2**18
"""Least input values that one thread computes at a time: two pictures of 224 pixels."""
MOST_ROWS_A_PART = 8


class ExportError(Exception):
    """A module that OpenVINO cannot take, or computes differently."""


def compile_module(
    key: str,
    build: Callable[[], torch.nn.Module],
    example: Mapping[str, NDArray[Any]],
    dynamic: Mapping[str, Mapping[int, str]],
) -> Infer:
    """Return a function that runs the module in OpenVINO; see `compile_model`.

    Raises:
        ExportError: OpenVINO cannot convert the module, or its output differs from torch's.
    """
    stored = StoredModel(f"{key}|openvino {version('openvino')}|1")
    folder = stored.find()
    if folder is None:
        folder = stored.write(lambda empty: _export(build, example, dynamic, empty))
    return _load(folder / MODEL_FILE)


@lru_cache(maxsize=1)
def _core() -> Any:
    return _import_openvino().Core()


def _import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports each import and conversion.

    It would do so from forked processes, over the network, and without asking. Where that
    package cannot be imported, OpenVINO uses a stub.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _load(file: Path) -> Infer:
    """Return what infers: all threads on a few rows, a thread for each part of more.

    Threads that share a row's layers wait for each other at every one of them, which is worth
    it for a few rows only. Parts are small, so that a picture's activations stay in the
    core's cache, and as many wait as are computed, so that no thread waits for another: not
    at the end of a batch either, as those of one job are computed side by side.
    """
    threads = native_threads()
    request = _compiled(file, 1).create_infer_request()
    waiting = _import_openvino().AsyncInferQueue(_compiled(file, threads), 2 * threads)
    results: dict[tuple[int, int], Vectors] = {}

    def keep(finished: Any, place: tuple[int, int]) -> None:
        results[place] = finished.get_output_tensor(0).data.copy()

    waiting.set_callback(keep)

    def infer(batches: Sequence[Inputs]) -> list[Vectors]:
        if sum(rows_of(batch) for batch in batches) < FEW_ROWS * threads:
            return [request.infer(dict(batch), share_inputs=True)[0].copy() for batch in batches]
        results.clear()
        for number, batch in enumerate(batches):
            step = _rows_a_part(batch)
            for start in range(0, rows_of(batch), step):
                part = {name: array[start : start + step] for name, array in batch.items()}
                waiting.start_async(part, (number, start), share_inputs=True)
        waiting.wait_all()
        parts: list[list[Vectors]] = [[] for _ in batches]
        for (number, _), rows in sorted(results.items(), key=lambda result: result[0]):
            parts[number].append(rows)
        return [np.concatenate(rows) for rows in parts]

    return infer


def _rows_a_part(inputs: Inputs) -> int:
    """Return how many rows one thread computes at a time: two pictures, or eight texts."""
    values: int = max(array[0].size for array in inputs.values())
    return min(MOST_ROWS_A_PART, -(-VALUES_A_PART // values))


def _compiled(file: Path, streams: int) -> Any:
    # Left alone, OpenVINO computes in bfloat16 on CPUs that have it.
    return _core().compile_model(
        str(file),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": native_threads(),
        },
    )


def _export(
    build: Callable[[], torch.nn.Module],
    example: Mapping[str, NDArray[Any]],
    dynamic: Mapping[str, Mapping[int, str]],
    folder: Path,
) -> None:
    """Write the module as an OpenVINO model, and check its output against torch's."""
    import torch

    torch.set_num_threads(native_threads())
    module = build().eval()
    tensors = {name: torch.from_numpy(array) for name, array in example.items()}
    with torch.inference_mode():
        expected = module(**tensors).float().numpy()
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every constant it sees
            # torch's own check of the trace takes twice as long as all the rest; the output
            # is compared below.
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                module, example_kwarg_inputs=tensors, check_trace=False
            )
        model = _convert(traced, example, dynamic)
        _save(model, folder / MODEL_FILE)
        [given] = _load(folder / MODEL_FILE)([example])
    except RuntimeError as error:
        raise ExportError(f"OpenVINO cannot convert it: {error}") from error
    cosine = _cosine(expected, given)
    if not cosine >= MIN_COSINE:
        raise ExportError(f"OpenVINO's output differs from torch's (cosine {cosine:.6f})")


def _save(model: Any, file: Path) -> None:
    """Write a model.

    Raises:
        OSError: It cannot be written, or not as a whole.
    """
    try:
        _import_openvino().save_model(model, file, compress_to_fp16=False)
    except RuntimeError as error:
        raise OSError(f"OpenVINO cannot write {file}: {error}") from error


def _convert(
    traced: torch.jit.ScriptModule,
    example: Mapping[str, NDArray[Any]],
    dynamic: Mapping[str, Mapping[int, str]],
) -> Any:
    """Return the OpenVINO model of a trace, with its inputs' types and dynamic axes.

    The frontend is used directly; `openvino.convert_model` does the same in four times as long.
    """
    openvino = _import_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    frontend = FrontEndManager().load_by_framework("pytorch")
    # The frontend keeps no reference to the decoder that it reads from.
    decoder = TorchScriptPythonDecoder(traced)
    model = frontend.load(decoder)
    for name, array in example.items():
        place = model.get_place_by_tensor_name(name)
        axes = [-1 if axis in dynamic[name] else size for axis, size in enumerate(array.shape)]
        model.set_element_type(place, openvino.Type(array.dtype))
        model.set_partial_shape(place, openvino.PartialShape(axes))
    return frontend.convert(model)


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the lowest cosine between rows."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float((np.einsum("ij,ij->i", a, b) / norms).min())
