"""Run a module in torch itself, on an accelerator or a CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tiepoint.encoders.base import Vectors
from tiepoint.inference import Infer, Inputs
from tiepoint.threads import native_threads

if TYPE_CHECKING:
    import torch


def place_module(build: Callable[[], torch.nn.Module], device: str) -> Infer:
    """Return a function that runs the module on a torch device, in float32."""
    import torch

    torch.set_num_threads(native_threads())
    module = build().eval().to(device)

    def infer(batches: Sequence[Inputs]) -> list[Vectors]:
        return [one(batch) for batch in batches]

    def one(inputs: Inputs) -> Vectors:
        # TF32 has a mantissa of 10 bits: vectors would differ from those made on a CPU.
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            tensors = {
                name: torch.from_numpy(array).to(device, non_blocking=True)
                for name, array in inputs.items()
            }
            result: Vectors = module(**tensors).float().cpu().numpy()
        return result

    return infer
