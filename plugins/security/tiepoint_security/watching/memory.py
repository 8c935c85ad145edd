"""Freed memory goes back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def give_back() -> None:
    """Hand free pages of all the allocator's arenas back to the system (glibc; else nothing).

    Frames of many sizes are taken and freed by a dozen threads, each with an arena of its own,
    in which small things that stay keep pages from being given back at the top.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # where a process is no library, as on Windows
        return None
