"""Which device a model runs on, found out without importing torch where there is only a CPU."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

from tiepoint.errors import ConfigError

# NVIDIA's driver, NVIDIA under WSL, AMD's driver.
_ACCELERATOR_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def choose_device(device: str) -> str:
    """Return `cpu`, `torch:cpu`, `cuda`, `cuda:<n>` or `mps` for a device or `auto`.

    Raises:
        ConfigError: No such device, or it is not there.
    """
    if device in {"cpu", "torch:cpu"}:
        return device
    if device == "auto":
        return _best_device()
    if device == "mps" or re.fullmatch(r"cuda(:\d+)?", device):
        if _torch_has(device):
            return device
        raise ConfigError(
            f"torch sees no device {device!r}", where="device", hint="Use `auto` or `cpu`."
        )
    raise ConfigError(
        f"unknown device {device!r}",
        where="device",
        hint="Use `auto`, `cpu`, `torch:cpu`, `cuda`, `cuda:<number>` or `mps`.",
    )


def _best_device() -> str:
    """Return the first accelerator that torch can use, or the CPU."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        candidate = "mps"
    elif sys.platform == "win32" or any(Path(file).exists() for file in _ACCELERATOR_FILES):
        candidate = "cuda"
    else:
        return "cpu"
    return candidate if _torch_has(candidate) else "cpu"


def _torch_has(device: str) -> bool:
    import torch

    if device == "mps":
        return torch.backends.mps.is_available()
    index = int(device.partition(":")[2] or 0)
    return torch.cuda.is_available() and index < torch.cuda.device_count()
