"""Long work: one job after the other, with progress, and begun again after a kill.

A job that was accepted is in the state of the service. One that was under way when the process
ended, by whatever end, is done again at the next start, so its work must bear repetition;
indexing does, as what is stored unchanged is left as it is.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tiepoint.errors import ConfigError, TiepointError
from tiepoint.host import Host
from tiepoint.ingest import build_source, ingest
from tiepoint.plugin import JobKind, Task
from tiepoint_adapters.http.problems import ConflictError, NotFoundError
from tiepoint_adapters.http.state import ServiceState

log = logging.getLogger(__name__)

Status = Literal["waiting", "running", "done", "failed", "cancelled"]
_COLUMNS = (
    "id, kind, parameters, status, caller, created, started, ended, done, total, result, error"
)
_NOTED_S = 0.5
_ENDED_KEPT_S = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        id: Its id.
        kind: What is done.
        parameters: With what.
        status: How far it is.
        caller: Who asked for it.
        created: When, in seconds since 1970.
        started: When it was begun last.
        ended: When it ended.
        done: What of it is done, in units of its kind.
        total: Of how many, where that is known.
        result: What came of it.
        error: Why it failed.
    """

    id: str
    kind: str
    parameters: dict[str, Any]
    status: Status
    caller: str
    created: float
    started: float | None
    ended: float | None
    done: int | None
    total: int | None
    result: dict[str, Any] | None
    error: str | None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Job:
        """Return a job from its row."""
        values = list(row)
        values[2] = json.loads(values[2])
        values[10] = json.loads(values[10]) if values[10] is not None else None
        return cls(*values)


class _CancelledError(Exception):
    """The job was cancelled."""


class Jobs:
    """The jobs of a service, done by one thread.

    Args:
        host: What they work on.
        state: Where they are kept.
    """

    def __init__(self, host: Host, state: ServiceState) -> None:
        self._host = host
        self._state = state
        self._changed = threading.Condition()
        self._closing = False
        self._running: str | None = None
        self._cancelled: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="tiepoint-jobs", daemon=True)

    def start(self) -> None:
        """Begin to work, first on what was left when the process before ended."""
        with self._state.changing() as rows:
            rows.execute("UPDATE jobs SET status = 'waiting' WHERE status = 'running'")
            rows.execute("DELETE FROM jobs WHERE ended < ?", (time.time() - _ENDED_KEPT_S,))
        self._thread.start()

    def close(self) -> None:
        """Stop; the job under way ends at its next step, and is done again at the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def kinds(self) -> Mapping[str, JobKind]:
        """Return what jobs there are: `index`, and `<plugin>:<job>` of the plugins."""
        kinds = {"index": JobKind("Index sources of the deployment.", self._index, self._check)}
        for name, plugin in self._host.plugins.items():
            kinds |= {f"{name}:{job}": kind for job, kind in plugin.jobs().items()}
        return kinds

    def add(self, kind: str, parameters: Mapping[str, Any], caller: str) -> Job:
        """Accept a job; it is kept when this returns.

        Raises:
            NotFoundError: There is no such kind.
            InputError: The parameters are wrong.
        """
        known = self.kinds()
        if kind not in known:
            raise NotFoundError(
                f"there is no job {kind!r:.80}",
                where="kind",
                hint=f"There are: {', '.join(known)}.",
            )
        check = known[kind].check
        if check is not None:
            check(parameters)
        id_ = secrets.token_hex(8)
        row = (id_, kind, json.dumps(dict(parameters)), "waiting", caller, time.time())
        with self._state.changing() as rows:
            rows.execute(
                "INSERT INTO jobs (id, kind, parameters, status, caller, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        with self._changed:
            self._changed.notify_all()
        return self.get(id_)

    def get(self, id: str) -> Job:
        """Return a job.

        Raises:
            NotFoundError: There is none of this id.
        """
        with self._state.changing() as rows:
            found = rows.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (id,)).fetchone()  # noqa: S608
        if found is None:
            raise NotFoundError("there is no such job", where=id[:64], hint="Check the id.")
        return Job.of(found)

    def latest(self, most: int) -> list[Job]:
        """Return the latest jobs, newest first."""
        with self._state.changing() as rows:
            found = rows.execute(
                f"SELECT {_COLUMNS} FROM jobs ORDER BY created DESC, id LIMIT ?",  # noqa: S608
                (most,),
            ).fetchall()
        return [Job.of(row) for row in found]

    def cancel(self, id: str) -> Job:
        """Have a job not be done, or end at its next step; what it wrote is kept.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It has ended.
        """
        job = self.get(id)
        if job.ended is not None:
            raise ConflictError(f"the job has ended: {job.status}", where=id)
        with self._changed:
            if self._running == id:
                self._cancelled.add(id)
                return job
            self._end(id, "cancelled", None, None)
        return self.get(id)

    def counts(self) -> dict[str, int]:
        """Return how many jobs there are of each status."""
        with self._state.changing() as rows:
            return dict(rows.execute("SELECT status, COUNT(*) FROM jobs GROUP BY status"))

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._do(job)
            except TiepointError as error:  # the state itself cannot be written
                log.error("job %s: %s", job.id, error)
                time.sleep(_NOTED_S)

    def _next(self) -> Job | None:
        """Wait for a job; None at the end."""
        while True:
            with self._changed:
                self._running = None
                if self._closing:
                    return None
                with self._state.changing() as rows:
                    found = rows.execute(
                        f"SELECT {_COLUMNS} FROM jobs WHERE status = 'waiting'"  # noqa: S608
                        " ORDER BY created, id LIMIT 1"
                    ).fetchone()
                    if found is not None:
                        job = Job.of(found)
                        rows.execute(
                            "UPDATE jobs SET status = 'running', started = ? WHERE id = ?",
                            (time.time(), job.id),
                        )
                        self._running = job.id
                        return job
                self._changed.wait(60)

    def _do(self, job: Job) -> None:
        try:
            kind = self.kinds().get(job.kind)
            if kind is None:
                raise ConfigError(f"the deployment has no job {job.kind!r} any more")
            result = kind.work(job.parameters, _Noting(self, job.id))
        except _CancelledError:
            if job.id in self._cancelled:
                self._end(job.id, "cancelled", None, None)
            return  # otherwise the service ends, and the job is done again
        except TiepointError as error:
            self._end(job.id, "failed", None, str(error))
        except Exception as error:  # a plugin's job is foreign code
            log.exception("job %s (%s) failed", job.id, job.kind)
            self._end(job.id, "failed", None, f"{type(error).__name__}: {error}")
        else:
            self._end(job.id, "done", result, None)
        finally:
            self._cancelled.discard(job.id)

    def _end(
        self, id: str, status: Status, result: Mapping[str, Any] | None, error: str | None
    ) -> None:
        written = json.dumps(dict(result)) if result is not None else None
        with self._state.changing() as rows:
            rows.execute(
                "UPDATE jobs SET status = ?, ended = ?, result = ?, error = ? WHERE id = ?",
                (status, time.time(), written, error, id),
            )

    def note(self, id: str, done: int, total: int | None) -> None:
        """Write down a job's progress."""
        with self._state.changing() as rows:
            rows.execute("UPDATE jobs SET done = ?, total = ? WHERE id = ?", (done, total, id))

    def stopped(self, id: str) -> bool:
        """Tell whether a job is to end at its next step."""
        return self._closing or id in self._cancelled

    def _sources(self, parameters: Mapping[str, Any]) -> list[str]:
        if not self._host.deployment.sources:
            raise ConfigError(
                "the deployment names no source",
                where="sources",
                hint="Name one under `sources` in the deployment file, or add items over the API.",
            )
        unknown = set(parameters) - {"sources", "prune"}
        names = parameters.get("sources")
        known = list(self._host.deployment.sources)
        wanted = known if names is None else names
        if (
            unknown
            or not isinstance(wanted, list)
            or not wanted
            or not isinstance(parameters.get("prune", False), bool)
        ):
            raise ConfigError(
                "the parameters are wrong",
                where="parameters",
                hint='Give {"sources": ["name"], "prune": false}, or less.',
            )
        for name in wanted:
            if name not in known:
                raise ConfigError(
                    f"the deployment has no source {name!r:.80}",
                    where="parameters.sources",
                    hint=f"There are: {', '.join(known)}.",
                )
        return wanted

    def _check(self, parameters: Mapping[str, Any]) -> None:
        self._sources(parameters)

    def _index(self, parameters: Mapping[str, Any], task: Task) -> dict[str, Any]:
        host, reports = self._host, []
        for name in self._sources(parameters):
            section = host.deployment.sources[name]
            fields = host.deployment.collections[section.collection].fields
            report = ingest(
                host,
                name,
                build_source(name, section, fields),
                section.collection,
                prune=bool(parameters.get("prune", False)),
                progress=task.progress,
            )
            reports.append(report.as_dict())
        return {"sources": reports}


class _Noting:
    """A job's task: notes its progress, and ends it where that is wanted."""

    def __init__(self, jobs: Jobs, id: str) -> None:
        self._jobs = jobs
        self._id = id
        self._noted = float("-inf")

    def progress(self, done: int, total: int | None) -> None:
        if self._jobs.stopped(self._id):
            raise _CancelledError
        now = time.monotonic()
        if now - self._noted >= _NOTED_S or done == total:
            self._noted = now
            self._jobs.note(self._id, done, total)
