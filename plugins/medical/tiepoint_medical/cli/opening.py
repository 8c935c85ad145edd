"""The service of a deployment file, for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiepoint_medical.service import MedicalService


@contextmanager
def opened_service(config: Path) -> Iterator[MedicalService]:
    """Open the deployment's host and the service on it.

    Raises:
        ConfigError: The deployment is not made for cases.
        StoreOwnedError: Another process holds the store.
    """
    from tiepoint.host import Host
    from tiepoint_medical.service import service_of

    with Host.from_config(config) as host:
        service = service_of(config, host)
        try:
            yield service
        finally:
            service.close()
