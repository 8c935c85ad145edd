"""The one executor of inference: by priority, and small requests that wait in one batch.

An alert overtakes a re-indexing, and small requests that wait at the same time are answered
together.
"""

from __future__ import annotations

import atexit
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Inputs: TypeAlias = Mapping[str, NDArray[Any]]
Infer: TypeAlias = Callable[[Sequence[Inputs]], list[NDArray[np.float32]]]
"""What takes batches, each of its own shape, and returns the rows of each."""


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


@dataclass(eq=False, slots=True)
class _Job:
    """Batches that wait for inference."""

    infer: Infer
    batches: Sequence[Inputs]
    max_batch: int
    done: Future[list[NDArray[np.float32]]] = field(default_factory=Future)

    @property
    def rows(self) -> int:
        return sum(rows_of(batch) for batch in self.batches)

    def fits(self, other: _Job) -> bool:
        """Tell whether another job's rows can be inferred in one batch with this one's."""
        if other.infer is not self.infer or len(self.batches) > 1 or len(other.batches) > 1:
            return False
        [own], [others] = self.batches, other.batches
        return others.keys() == own.keys() and all(
            array.shape[1:] == others[name].shape[1:] and array.dtype == others[name].dtype
            for name, array in own.items()
        )


class InferenceExecutor:
    """Runs all inference of the process, one job at a time, by priority.

    A job has one batch, or several of different shapes that the model may spread over its
    threads. Waiting jobs of one priority that have one batch each are merged into one where
    they go to the same model and their inputs have equal shapes (but for the rows). A queue
    that is full makes its callers wait.

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
        batches: Sequence[Inputs],
        max_batch: int,
        priority: Priority | None = None,
    ) -> Future[list[NDArray[np.float32]]]:
        """Queue a job; waits while the queue of its priority is full.

        Args:
            infer: The model; only ever called from the executor's own thread.
            batches: Arrays by name, each with the n rows of the batch on its first axis.
            max_batch: Most rows that are merged into one call.
            priority: That of the calling context (see `prioritised`) if not given.

        Raises:
            RuntimeError: The executor is closed (the interpreter is shutting down).
        """
        job = _Job(infer, batches, max_batch)
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


def rows_of(batch: Inputs) -> int:
    """Return how many rows a batch has."""
    return len(next(iter(batch.values())))


def _infer_together(jobs: list[_Job]) -> list[list[NDArray[np.float32]]]:
    """Return each job's rows of one inference over all of them."""
    first = jobs[0]
    if len(jobs) == 1:
        return [first.infer(first.batches)]
    merged = {
        name: np.concatenate([job.batches[0][name] for job in jobs]) for name in first.batches[0]
    }
    ends = np.cumsum([job.rows for job in jobs])
    [result] = first.infer([merged])
    return [[rows] for rows in np.split(result, ends[:-1])]


_executor: InferenceExecutor | None = None
_start = threading.Lock()


def inference_executor() -> InferenceExecutor:
    """Return the process's executor of inference."""
    global _executor
    with _start:
        if _executor is None:
            _executor = InferenceExecutor()
            atexit.register(_executor.close)
        return _executor


def _forget_executor() -> None:
    """Drop the executor: a forked child has no thread of its parent's."""
    global _executor, _start
    _executor, _start = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_executor)
