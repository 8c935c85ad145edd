"""Bulk work on Ray Data: worker processes do it, this process writes what comes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

from tiepoint.engine import Encoding, Part, Result
from tiepoint.errors import InputError, StoreError, TiepointError
from tiepoint.item_encoding import EncodedItems
from tiepoint.types import Item
from tiepoint_adapters.engines.ray_start import start_ray
from tiepoint_adapters.engines.ray_worker import Held, Job, apply, encode, job_of

logger = logging.getLogger(__name__)

LEAST_MEMORY_MIB = 80
"""The smallest object store that Ray starts with is a little below."""


class RayEngine:
    """Encodes in the worker processes of a Ray cluster (engine `ray`).

    Batches go out as a Ray data set of one task each; a task whose worker or node is lost runs
    again elsewhere, and its result comes back once. What comes back is written by this process,
    the only writer, so that an item is stored exactly once by its id, whatever died; a run that
    was cut short itself is continued by running it again.

    Paths must lead to the same files on each node. A worker loads the encoders once and keeps
    them for later runs. A single batch, as a host that is up adds it, is encoded here.

    Args:
        workers: How many processes encode at the same time; as many as the cluster has cores
            for if not given.
        cores_per_worker: Cores, and native threads, of each.
        address: `auto` or `host:port` of a cluster; one on this machine, for as long as the
            host is open, if not given.
        window: How many batches of 64 items are handed out before more are read from the source.
        memory_mib: What Ray's object store may take of a machine's memory, where Ray is started
            here; 30 % of it if not given. Beyond it Ray uses the disk.
    """

    def __init__(
        self,
        workers: int | None = None,
        cores_per_worker: int = 1,
        address: str | None = None,
        window: int = 256,
        memory_mib: int | None = None,
    ) -> None:
        for name, value in {"workers": workers, "cores_per_worker": cores_per_worker}.items():
            if value is not None and value < 1:
                raise InputError(f"{value} is too few", where=f"engine.{name}", hint="Give 1.")
        if window < 1:
            raise InputError(f"{window} is too few", where="engine.window", hint="Give 256.")
        self.workers = workers
        self.cores_per_worker = cores_per_worker
        if memory_mib is not None and memory_mib < LEAST_MEMORY_MIB:
            raise InputError(
                f"{memory_mib} is too few",
                where="engine.memory_mib",
                hint=f"Give {LEAST_MEMORY_MIB} or more.",
            )
        self.address = address
        self.memory_mib = memory_mib
        self.window = window
        self._started = False
        self._seen: dict[tuple[str, int], int] = {}

    def encoded(self, encoding: Encoding, batches: Iterable[list[Item]]) -> Iterator[EncodedItems]:
        waiting = iter(batches)
        first = list(islice(waiting, 2))
        if len(first) < 2:
            yield from map(encoding.encoder.encode, first)
            return
        self._start()
        job = job_of(encoding.deployment, encoding.collection, self.cores_per_worker)
        waiting = chain(first, waiting)
        while window := list(islice(waiting, self.window)):
            yield from self._run(window, job)

    def mapped(self, function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        waiting = iter(parts)
        first = list(islice(waiting, 2))
        if len(first) < 2:
            yield from map(function, first)
            return
        self._start()
        call = partial(apply, function=function, threads=self.cores_per_worker)
        waiting = chain(first, waiting)
        while window := list(islice(waiting, self.window)):
            for row in self._rows([{"part": Held(part)} for part in window], call):
                yield row["result"].content

    def health(self) -> dict[str, Any]:
        workers = [
            {"node": node, "process": process, "items": items}
            for (node, process), items in self._seen.items()
        ]
        return {
            "status": "ok",
            "type": "ray",
            "address": self.address or "local",
            "started": self._started,
            "workers": workers,
        }

    def close(self) -> None:
        if self._started:
            import ray

            ray.shutdown()
            self._started = False

    def _start(self) -> None:
        if self._started:
            return
        cores = (self.workers or self._cores()) * self.cores_per_worker
        memory = None if self.memory_mib is None else self.memory_mib * 2**20
        start_ray(self.address, cores, "engine", memory)
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        self._started = True

    def _cores(self) -> int:
        from tiepoint.threads import usable_cores

        return max(1, usable_cores() // self.cores_per_worker)

    def _run(self, window: list[list[Item]], job: Job) -> Iterator[EncodedItems]:
        for row in self._rows([{"items": items} for items in window], partial(encode, job=job)):
            worked = row["worked"]
            count = len(worked.batch.rows) + len(worked.batch.skipped)
            self._seen[worked.worker] = self._seen.get(worked.worker, 0) + count
            yield worked.batch

    def _rows(
        self, rows: list[dict[str, Any]], function: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yield what a function makes of each row, as a task of its own."""
        import ray.data
        from ray.exceptions import RayError

        data = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            function,
            num_cpus=self.cores_per_worker,
            compute=ray.data.TaskPoolStrategy(size=self.workers),
        )
        try:
            yield from data.iter_rows()
        except RayError as error:
            cause = error.__cause__
            if isinstance(cause, TiepointError):
                raise cause from error
            raise StoreError(
                f"the Ray workers failed ({str(error).strip().splitlines()[-1][:200]})",
                where="engine",
                hint="What was written is kept; run it again to go on.",
            ) from error
