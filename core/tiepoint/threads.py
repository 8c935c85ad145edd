"""The threads of the process: how many native ones, and the one executor of inference.

Native libraries each start as many threads as the machine has cores, which is wrong in a
container and ruinous when several of them do it at once. Their number is set here, once. All
inference goes through one executor, so that an alert overtakes a re-indexing, and small
requests that wait at the same time are answered in one batch.
"""

from __future__ import annotations

import atexit
import contextvars
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Inputs: TypeAlias = Mapping[str, NDArray[Any]]
Infer: TypeAlias = Callable[[Inputs], NDArray[np.float32]]

# Read by the libraries when they are loaded, so these reach the ones imported later.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class Priority(IntEnum):
    """Who is waiting; a smaller number is served first."""

    ALERT = 0
    INTERACTIVE = 1
    BATCH = 2


_priority = contextvars.ContextVar("tiepoint_priority", default=Priority.INTERACTIVE)


@contextmanager
def prioritised(priority: Priority) -> Iterator[None]:
    """Run what is inferred inside the `with` block at a priority (interactive elsewhere)."""
    token = _priority.set(priority)
    try:
        yield
    finally:
        _priority.reset(token)


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


@dataclass(eq=False, slots=True)
class _Job:
    """A batch that waits for inference."""

    infer: Infer
    inputs: Inputs
    max_batch: int
    done: Future[NDArray[np.float32]] = field(default_factory=Future)

    @property
    def rows(self) -> int:
        return len(next(iter(self.inputs.values())))

    def fits(self, other: _Job) -> bool:
        """Tell whether another job's rows can be inferred in one batch with this one's."""
        return (
            other.infer is self.infer
            and other.inputs.keys() == self.inputs.keys()
            and all(
                array.shape[1:] == other.inputs[name].shape[1:]
                and array.dtype == other.inputs[name].dtype
                for name, array in self.inputs.items()
            )
        )


class InferenceExecutor:
    """Runs all inference of the process, one batch at a time, by priority.

    Waiting jobs of one priority whose inputs have equal shapes (but for the rows) and go to
    the same model are merged into one batch. A queue that is full makes its callers wait.

    Args:
        queue_limit: Jobs that may wait at each priority.
    """

    def __init__(self, queue_limit: int = 64) -> None:
        self._limit = queue_limit
        self._queues: dict[Priority, deque[_Job]] = {priority: deque() for priority in Priority}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(
        self,
        infer: Infer,
        inputs: Inputs,
        max_batch: int,
        priority: Priority | None = None,
    ) -> Future[NDArray[np.float32]]:
        """Queue one batch; waits while the queue of its priority is full.

        Args:
            infer: The model; only ever called from the executor's own thread.
            inputs: Arrays by name, each with the n rows of the batch on its first axis.
            max_batch: Most rows that are merged into one call.
            priority: That of the calling context (see `prioritised`) if not given.

        Raises:
            RuntimeError: The executor is closed (the interpreter is shutting down).
        """
        job = _Job(infer, inputs, max_batch)
        queue = self._queues[_priority.get() if priority is None else priority]
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(queue) < self._limit)
            if self._closed:
                raise RuntimeError("the inference executor is closed")
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="tiepoint-inference", daemon=True
                )
                self._thread.start()
            queue.append(job)
            self._changed.notify_all()
        return job.done

    def close(self) -> None:
        """Finish the batch in flight, cancel what waits, and end the thread."""
        with self._changed:
            self._closed = True
            for queue in self._queues.values():
                for job in queue:
                    job.done.cancel()
                queue.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while jobs := self._next_jobs():
            try:
                results = _infer_together(jobs)
            except Exception as error:  # noqa: BLE001 - handed to the callers
                for job in jobs:
                    job.done.set_exception(error)
            else:
                for job, result in zip(jobs, results, strict=True):
                    job.done.set_result(result)

    def _next_jobs(self) -> list[_Job]:
        """Wait for work; return the jobs of the next batch, or none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or any(self._queues.values()))
            if self._closed:
                return []
            queue = next(self._queues[p] for p in Priority if self._queues[p])
            first = queue.popleft()
            jobs, rows = [first], first.rows
            for job in list(queue):
                if first.fits(job) and rows + job.rows <= first.max_batch:
                    queue.remove(job)
                    jobs.append(job)
                    rows += job.rows
            running = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            self._changed.notify_all()
        return running or self._next_jobs()


def _infer_together(jobs: list[_Job]) -> list[NDArray[np.float32]]:
    """Return each job's rows of one inference over all of them."""
    first = jobs[0]
    if len(jobs) == 1:
        return [first.infer(first.inputs)]
    merged = {name: np.concatenate([job.inputs[name] for job in jobs]) for name in first.inputs}
    ends = np.cumsum([job.rows for job in jobs])
    return np.split(first.infer(merged), ends[:-1])


_executor: InferenceExecutor | None = None
_preparers: ThreadPoolExecutor | None = None
_start = threading.Lock()


def inference_executor() -> InferenceExecutor:
    """Return the process's executor of inference."""
    global _executor
    with _start:
        if _executor is None:
            _executor = InferenceExecutor()
            atexit.register(_executor.close)
        return _executor


def preparation_threads() -> ThreadPoolExecutor:
    """Return the process's threads for reading and decoding: one for each native thread."""
    global _preparers
    with _start:
        if _preparers is None:
            _preparers = ThreadPoolExecutor(native_threads(), "tiepoint-prepare")
        return _preparers


def _forget_threads() -> None:
    """Drop the executors: a forked child has none of its parent's threads."""
    global _executor, _preparers, _start
    _executor, _preparers, _start = None, None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
