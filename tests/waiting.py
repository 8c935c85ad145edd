"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(met: Callable[[], Any], timeout_s: float = 30.0) -> None:
    """Wait until something is so; fail if it does not come."""
    deadline = time.monotonic() + timeout_s
    while not met():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
