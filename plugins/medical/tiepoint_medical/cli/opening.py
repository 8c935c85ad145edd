"""What commands of a deployment file work on: its service, its site, or what takes its cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiepoint.ingest import Target
    from tiepoint_medical.service import MedicalService
    from tiepoint_medical.site import Site


@contextmanager
def opened_service(config: Path) -> Iterator[MedicalService]:
    """Open the deployment's host and the service on it.

    Raises:
        ConfigError: The deployment is not made for cases.
        StoreOwnedError: Another process holds the store.
    """
    from tiepoint.errors import StoreOwnedError
    from tiepoint.host import Host
    from tiepoint_medical.service import service_of

    host = Host.from_config(config)
    try:
        host.open()
    except StoreOwnedError as error:
        raise StoreOwnedError(
            error.what,
            where=error.where,
            hint="Ask it (its page, or POST /v1/medical/match), or stop it.",
        ) from None
    with host:
        service = service_of(config, host)
        try:
            yield service
        finally:
            service.close()


@contextmanager
def opened_site(config: Path) -> Iterator[Site]:
    """Open what is kept beside the store, which another process may hold.

    Raises:
        ConfigError: The options cannot be used.
    """
    from tiepoint.config.loader import load
    from tiepoint_medical.site import Site, options_of

    site = Site(options_of(load(config), config))
    try:
        yield site
    finally:
        site.close()


@contextmanager
def opened_target(config: Path) -> Iterator[tuple[Site, Target]]:
    """Open the site and what takes its cases: a host, or the process that holds the store.

    Raises:
        ConfigError: The deployment is not made for cases.
        StoreOwnedError: Another process holds the store, and takes no calls.
    """
    from tiepoint.cli.targets import indexing_target
    from tiepoint.config.loader import load
    from tiepoint_medical.service import check_collection

    with opened_site(config) as site:
        deployment = load(config)
        check_collection(deployment, site.config.collection, site.space.dim)
        with indexing_target(deployment) as target:
            yield site, target
