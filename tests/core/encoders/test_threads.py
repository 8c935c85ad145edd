"""Native threads follow the cores; the executor serves by priority and merges what waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from tiepoint.inference import InferenceExecutor, Inputs, Priority, prioritised
from tiepoint.threads import usable_cores


class Recorder:
    """A model that doubles its input, and notes each batch; it can be held back."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.go = threading.Event()
        self.started = threading.Event()
        self.go.set()

    def __call__(self, batches: Sequence[Inputs]) -> list[np.ndarray]:
        self.started.set()
        assert self.go.wait(10)
        self.batches += [batch["x"][:, 0].tolist() for batch in batches]
        return [np.asarray(batch["x"] * 2, np.float32) for batch in batches]

    def hold(self, executor: InferenceExecutor) -> None:
        """Occupy the executor with one batch until `go` is set."""
        self.go.clear()
        self.started.clear()
        executor.submit(self, [rows(-1)], 8)
        assert self.started.wait(10)


def rows(*values: float, width: int = 3) -> dict[str, np.ndarray]:
    return {"x": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}


@pytest.fixture
def executor() -> InferenceExecutor:
    return InferenceExecutor(queue_limit=4)


def test_urgent_work_overtakes_what_waits(executor: InferenceExecutor) -> None:
    model = Recorder()
    model.hold(executor)
    futures = [
        executor.submit(model, [rows(value)], 1, priority)
        for value, priority in [
            (3, Priority.BATCH),
            (2, Priority.INTERACTIVE),
            (1, Priority.ALERT),
            (4, Priority.BATCH),
        ]
    ]
    model.go.set()
    for future in futures:
        future.result(10)
    assert model.batches == [[-1], [1], [2], [3], [4]]
    executor.close()


def test_small_requests_that_wait_are_one_batch(executor: InferenceExecutor) -> None:
    model, other = Recorder(), Recorder()
    model.hold(executor)
    futures = [
        executor.submit(model, [rows(1, 2)], 5),
        executor.submit(other, [rows(9)], 5),
        executor.submit(model, [rows(3, width=4)], 5),
        executor.submit(model, [rows(4, 5)], 5),
    ]
    model.go.set()
    results = [rows[:, 0].tolist() for future in futures for rows in future.result(10)]
    assert results == [[2, 4], [18], [6], [8, 10]]
    assert model.batches == [[-1], [1, 2, 4, 5], [3]]
    executor.close()


def test_batches_of_different_shapes_are_one_job(executor: InferenceExecutor) -> None:
    model = Recorder()
    model.hold(executor)
    together = executor.submit(model, [rows(1, 2), rows(3, width=4)], 5)
    alone = executor.submit(model, [rows(4)], 5)
    model.go.set()
    assert [result.tolist() for result in together.result(10)] == [
        [[2, 2, 2], [4, 4, 4]],
        [[6, 6, 6, 6]],
    ]
    alone.result(10)
    assert model.batches == [[-1], [1, 2], [3], [4]]
    executor.close()


def test_merging_stops_at_the_largest_batch(executor: InferenceExecutor) -> None:
    model = Recorder()
    model.hold(executor)
    futures = [executor.submit(model, [rows(value, value)], 4) for value in (1, 2, 3)]
    model.go.set()
    for future in futures:
        future.result(10)
    assert model.batches == [[-1], [1, 1, 2, 2], [3, 3]]
    executor.close()


def test_full_queue_makes_its_callers_wait_and_no_other(executor: InferenceExecutor) -> None:
    model = Recorder()
    model.hold(executor)
    for value in range(4):
        executor.submit(model, [rows(value)], 1, Priority.BATCH)
    through = threading.Event()

    def submit() -> None:
        executor.submit(model, [rows(5)], 1, Priority.BATCH).result(10)
        through.set()

    thread = threading.Thread(target=submit)
    thread.start()
    urgent = executor.submit(model, [rows(6)], 1, Priority.ALERT)
    assert not through.wait(0.2)
    model.go.set()
    urgent.result(10)
    assert through.wait(10)
    thread.join()
    assert model.batches[1] == [6]
    executor.close()


def test_failure_reaches_the_caller_and_the_executor_goes_on(executor: InferenceExecutor) -> None:
    def broken(batches: Sequence[Inputs]) -> list[np.ndarray]:
        raise ValueError("out of memory")

    with pytest.raises(ValueError, match="out of memory"):
        executor.submit(broken, [rows(1)], 1).result(10)
    assert executor.submit(Recorder(), [rows(2)], 1).result(10)[0][0, 0] == 4
    executor.close()
    with pytest.raises(RuntimeError):
        executor.submit(Recorder(), [rows(2)], 1)


def test_priority_comes_from_the_calling_context(executor: InferenceExecutor) -> None:
    model = Recorder()
    model.hold(executor)
    with prioritised(Priority.BATCH):
        last = executor.submit(model, [rows(2)], 1)
    first = executor.submit(model, [rows(1)], 1)
    model.go.set()
    last.result(10)
    first.result(10)
    assert model.batches == [[-1], [1], [2]]
    executor.close()


@pytest.mark.skipif(sys.platform != "linux", reason="CPU affinity is a Linux feature")
def test_cores_follow_the_affinity_of_the_process() -> None:
    code = "from tiepoint.threads import *; print(usable_cores(), configure_native_threads())"
    one = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{one}]); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "1"]
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_libraries_get_their_threads_whenever_they_are_imported() -> None:
    code = (
        "import torch, sys; from tiepoint.threads import *; configure_native_threads(1);"
        "import faiss; from threadpoolctl import threadpool_info as i;"
        "print(torch.get_num_threads(), faiss.omp_get_max_threads(),"
        " max(p['num_threads'] for p in i()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "1"]


def test_forked_child_can_infer() -> None:
    code = """
import os, numpy as np
from tiepoint.inference import inference_executor
double = lambda batches: [batch["x"] * 2 for batch in batches]
ones = {"x": np.ones((1, 1), np.float32)}
ask = lambda: inference_executor().submit(double, [ones], 1).result(5)
assert ask()[0][0, 0] == 2
pid = os.fork()
if pid == 0:
    os._exit(0 if ask()[0][0, 0] == 2 else 1)
assert os.waitpid(pid, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)
