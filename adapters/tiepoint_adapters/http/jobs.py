"""Long work: one job after the other, with progress, and begun again after a kill.

A job that was accepted is in the state of the service. Of the processes that share the state one
at a time works. What it had under way when it ended, by whatever end, is done again by another,
or at the next start, so the work must bear repetition; indexing does, as what is stored unchanged
is left as it is.
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
from tiepoint_adapters.http.presence import PRESENT, Presence, since
from tiepoint_adapters.http.problems import ConflictError, NotFoundError
from tiepoint_adapters.http.state import ServiceState

log = logging.getLogger(__name__)

Status = Literal["waiting", "running", "done", "failed", "cancelled"]
_COLUMNS = (
    "id, kind, parameters, status, caller, created, started, ended, done, total, result, error"
)
_NOTED_S = 0.5
_LOOKED_S = 2.0
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


class _StoppedError(Exception):
    """The job is not to go on here; `cancelled` tells whether it is not to go on at all."""

    def __init__(self, *, cancelled: bool) -> None:
        super().__init__()
        self.cancelled = cancelled


class Jobs:
    """The jobs of a service, done by one thread.

    Args:
        host: What they work on.
        state: Where they are kept.
        presence: Says which of the processes that share them are there.
    """

    def __init__(self, host: Host, state: ServiceState, presence: Presence) -> None:
        self._host = host
        self._state = state
        self._process = presence.id
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="tiepoint-jobs", daemon=True)

    def start(self) -> None:
        """Begin to work, first on what was left when the process before ended."""
        with self._state.changing() as rows:
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
        with self._state.changing() as rows:
            rows.execute(
                "UPDATE jobs SET status = 'cancelled', ended = ?"
                " WHERE id = ? AND status = 'waiting'",
                (time.time(), id),
            )
            rows.execute("UPDATE jobs SET cancelled = 1 WHERE id = ? AND ended IS NULL", (id,))
        return self.get(id)

    def counts(self) -> dict[str, int]:
        """Return how many jobs there are of each status."""
        with self._state.changing() as rows:
            return dict(rows.execute("SELECT status, COUNT(*) FROM jobs GROUP BY status"))

    def _work(self) -> None:
        failed = False
        while not self._closing:
            try:
                job = self._taken()
                failed = False
                if job is not None:
                    self._do(job)
                    continue
            except TiepointError as error:  # the state itself cannot be used
                if not failed:
                    log.error("no job can be done: %s", error)
                failed = True
            with self._changed:
                if not self._closing:
                    self._changed.wait(_LOOKED_S)

    def _taken(self) -> Job | None:
        """Take the first job that waits, unless one is under way."""
        now = time.time()
        left = f"status = 'running' AND (process IS NULL OR process NOT IN ({PRESENT}))"
        with self._state.changing() as rows:
            rows.execute(
                f"UPDATE jobs SET status = 'cancelled', ended = ? WHERE cancelled = 1 AND {left}",  # noqa: S608
                (now, since()),
            )
            rows.execute(f"UPDATE jobs SET status = 'waiting' WHERE {left}", (since(),))  # noqa: S608
            found = rows.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE status = 'waiting'"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM jobs WHERE status = 'running')"
                " ORDER BY created, id LIMIT 1"
            ).fetchone()
            if found is None:
                return None
            job = Job.of(found)
            rows.execute(
                "UPDATE jobs SET status = 'running', started = ?, process = ? WHERE id = ?",
                (now, self._process, job.id),
            )
            return job

    def _do(self, job: Job) -> None:
        try:
            kind = self.kinds().get(job.kind)
            if kind is None:
                raise ConfigError(f"the deployment has no job {job.kind!r} any more")
            result = kind.work(job.parameters, _Noting(self, job.id))
        except _StoppedError as stopped:
            if stopped.cancelled:
                self._end(job.id, "cancelled", None, None)
            # otherwise the service ends, or another process has it, and it is done again
        except TiepointError as error:
            self._end(job.id, "failed", None, str(error))
        except Exception as error:  # a plugin's job is foreign code
            log.exception("job %s (%s) failed", job.id, job.kind)
            self._end(job.id, "failed", None, f"{type(error).__name__}: {error}")
        else:
            self._end(job.id, "done", result, None)

    def _end(
        self, id: str, status: Status, result: Mapping[str, Any] | None, error: str | None
    ) -> None:
        written = json.dumps(dict(result)) if result is not None else None
        with self._state.changing() as rows:
            rows.execute(
                "UPDATE jobs SET status = ?, ended = ?, result = ?, error = ?"
                " WHERE id = ? AND process = ?",
                (status, time.time(), written, error, id, self._process),
            )

    def note(self, id: str, done: int, total: int | None) -> None:
        """Write down a job's progress.

        Raises:
            _StoppedError: It was cancelled, or another process does it.
        """
        with self._state.changing() as rows:
            noted = rows.execute(
                "UPDATE jobs SET done = ?, total = ? WHERE id = ? AND process = ?",
                (done, total, id, self._process),
            )
            if not noted.rowcount:
                raise _StoppedError(cancelled=False)
            (cancelled,) = rows.execute("SELECT cancelled FROM jobs WHERE id = ?", (id,)).fetchone()
        if cancelled:
            raise _StoppedError(cancelled=True)

    @property
    def ending(self) -> bool:
        """Whether a job is to end at its next step, as the service does."""
        return self._closing

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
        if self._jobs.ending:
            raise _StoppedError(cancelled=False)
        now = time.monotonic()
        if now - self._noted >= _NOTED_S or done == total:
            self._noted = now
            self._jobs.note(self._id, done, total)
