"""Workers as actors of a Ray cluster, which starts one anew when it dies."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from tiepoint.config.models import Deployment
from tiepoint_adapters.engines.ray_start import start_ray
from tiepoint_security.plugin import SecurityConfig
from tiepoint_security.watching.settings import CameraSettings, RayWorkerSettings
from tiepoint_security.watching.worker import Worker

logger = logging.getLogger(__name__)

_ANSWER_S = 5.0
_STOP_S = 30.0
_OBJECT_STORE_BYTES = 100 * 1024**2  # actors return health and pictures, nothing large


class RayWorkers:
    """Keeps a number of workers alive; they share the cameras by leases in the database.

    Ray starts an actor that died again, on another node if it must. Meanwhile its leases run out,
    and the other workers watch its cameras; once it is back, it is given its share.

    Args:
        deployment: The deployment; its encoders, alignment, sinks and the place of its records
            go to the workers, passwords included.
        config: The options of the plugin.
        settings: How many, and where.
    """

    def __init__(
        self, deployment: Deployment, config: SecurityConfig, settings: RayWorkerSettings
    ) -> None:
        self._deployment = deployment.model_copy(update={"sources": {}, "plugins": {}})
        self._config = config.model_copy(update={"metrics": None, "frigate": None})
        self._settings = settings
        self._actors: list[Any] = []

    @property
    def cameras(self) -> Mapping[str, CameraSettings]:
        """All cameras, by name."""
        return self._config.cameras

    def start(self) -> None:
        """Reach or start Ray, and start the workers.

        Raises:
            MissingDependencyError: Ray is not installed.
            StoreError: Ray cannot be started or reached.
        """
        cores = self._settings.count * self._settings.cores
        start_ray(
            self._settings.address, cores, "plugins.security.workers.ray", _OBJECT_STORE_BYTES
        )
        import ray

        made = ray.remote(num_cpus=self._settings.cores, max_restarts=-1)(Worker)
        self._actors = [
            made.remote(self._deployment, self._config) for _ in range(self._settings.count)
        ]

    def stop(self) -> None:
        """Stop the workers, and the Ray that was started for them."""
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        try:
            ray.get([actor.stop.remote() for actor in self._actors], timeout=_STOP_S)
        except (RayError, GetTimeoutError) as error:
            logger.warning("a worker did not stop in time: %s", _first_line(error))
        for actor in self._actors:
            ray.kill(actor)
        self._actors = []
        ray.shutdown()

    def health(self) -> dict[str, Any]:
        """Return plain data: each worker, and each camera with the worker that watches it."""
        answers = [self._asked(actor.health.remote()) for actor in self._actors]
        workers: list[dict[str, Any]] = []
        cameras: dict[str, Any] = {}
        for number, answer in enumerate(answers):
            if isinstance(answer, str):
                workers.append({"number": number, "status": "restarting", "error": answer})
                continue
            held = sorted(answer["cameras"])
            workers.append(
                {
                    "number": number,
                    "status": answer["status"],
                    "process": answer["process"],
                    "cameras": held,
                    "analysis": answer["analysis"],
                }
            )
            cameras |= answer["cameras"]
        missing = self._config.cameras.keys() - cameras.keys()
        cameras |= {name: {"status": "unwatched"} for name in sorted(missing)}
        well = not missing and all(worker["status"] == "ok" for worker in workers)
        return {"status": "ok" if well else "degraded", "cameras": cameras, "workers": workers}

    def picture(self, camera: str) -> bytes | None:
        """Return the latest frame of a camera as JPEG; None where no worker has one."""
        for actor in self._actors:
            content = self._asked(actor.picture.remote(camera))
            if isinstance(content, bytes):
                return content
        return None

    def _asked(self, reference: Any) -> Any:
        """Return a worker's answer; what is wrong, in words, where none comes."""
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        try:
            return ray.get(reference, timeout=_ANSWER_S)
        except (RayError, GetTimeoutError) as error:
            return _first_line(error)


def _first_line(error: Exception) -> str:
    words = str(error).strip() or type(error).__name__
    return words.splitlines()[0][:200]
