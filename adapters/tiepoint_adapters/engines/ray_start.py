"""Reach a Ray cluster, or start one on this machine."""

from __future__ import annotations

import logging
import os
from typing import Any

from tiepoint.errors import MissingDependencyError, StoreError

logger = logging.getLogger(__name__)

STARTS = 3
"""How often a Ray of our own is started before it is given up."""


def start_ray(
    address: str | None, cores: int, where: str, object_store_bytes: int | None = None
) -> None:
    """Reach the cluster, or start one that lasts until `ray.shutdown()`.

    Args:
        address: `auto` or `host:port`; one on this machine if None.
        cores: Of one that is started here.
        where: The place of the address in the deployment file, for messages.
        object_store_bytes: Shared memory of one that is started here; as Ray chooses if None.

    Raises:
        MissingDependencyError: Ray is not installed.
        StoreError: It cannot be started or reached.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "Ray is not installed",
            where=where,
            hint='Install it: pip install "tiepoint[ray]"',
        ) from error
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        # Ray's workers give way to everything else (15), which halves them on a busy machine.
        os.environ.setdefault("RAY_worker_niceness", "0")
        options |= {"num_cpus": cores, "include_dashboard": False}
        options["object_store_memory"] = object_store_bytes
    else:
        options["address"] = address
    for attempt in range(1, STARTS + 1):
        try:
            ray.init(**options)
            break
        except Exception as error:  # Ray raises bare ones when it does not start
            ray.shutdown()
            if address is None and attempt < STARTS:
                # It gives itself 30 s, which a machine with much to do does not always keep.
                logger.warning("Ray did not start (%.200s); it is started again", error)
                continue
            raise StoreError(
                f"Ray cannot be started or reached ({error!s:.200})",
                where=where,
                hint="Check its address, and that the machine is not overloaded.",
            ) from error
