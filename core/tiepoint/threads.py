"""The threads of the process: how many native ones, and those that read and decode.

Native libraries each start as many threads as the machine has cores, which is wrong in a
container and ruinous when several of them do it at once. Their number is set here, once.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

# Read by the libraries when they are loaded, so these reach the ones imported later.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


@lru_cache(maxsize=1)
def usable_cores() -> int:
    """Return how many cores this process may use: its affinity, and its control group's quota.

    A fractional quota is rounded up. At least 1.
    """
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _quota_cores())))


def _quota_cores() -> float:
    """Return the tightest CPU quota among this process's control groups, in cores."""
    membership = Path("/proc/self/cgroup")
    if not membership.exists():
        return math.inf
    quota = math.inf
    for line in membership.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = Path("/sys/fs/cgroup") / ("cpu" if controllers else "")
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            quota = min(quota, _group_quota(folder))
            if folder == root:
                break
    return quota


def _group_quota(folder: Path) -> float:
    """Return one control group's quota in cores (version 2, then version 1)."""
    try:
        if (folder / "cpu.max").exists():
            limit, period = (folder / "cpu.max").read_text().split()
        else:
            limit = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
    except OSError:
        return math.inf
    if limit.strip() in {"max", "-1"}:
        return math.inf
    return float(limit) / float(period)


_threads: int | None = None


def native_threads() -> int:
    """Return how many threads each native library may use."""
    return _threads or configure_native_threads()


def configure_native_threads(threads: int | None = None) -> int:
    """Set the number of threads of torch, OpenVINO, OpenMP (FAISS) and OpenCV; BLAS gets one.

    Libraries that are loaded are set now, those that are imported later by the environment.
    OpenVINO is told when a model is compiled, so a change does not reach compiled models.

    Args:
        threads: Threads for each library; all usable cores if not given.

    Returns:
        The number that was set.
    """
    global _threads
    _threads = threads or usable_cores()
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(_threads)
    # Products in NumPy are small here. OpenBLAS's threads spin for a while after each one, and
    # take the cores from inference: a fourteenth of the time of indexing pictures.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(_threads)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(_threads)
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits={"openmp": _threads, "blas": 1})
    return _threads


_preparers: ThreadPoolExecutor | None = None
_start = threading.Lock()


def preparation_threads() -> ThreadPoolExecutor:
    """Return the process's threads for reading and decoding: one for each native thread."""
    global _preparers
    with _start:
        if _preparers is None:
            _preparers = ThreadPoolExecutor(native_threads(), "tiepoint-prepare")
        return _preparers


def _forget_threads() -> None:
    """Drop the threads: a forked child has none of its parent's."""
    global _preparers, _start
    _preparers, _start = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
