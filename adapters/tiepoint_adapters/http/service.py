"""What the routes of the service share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from tiepoint.config.service import ServeSection
from tiepoint.host import Host


@dataclass(slots=True)
class Service:
    """A host that is served.

    Attributes:
        host: The host.
        section: How it is served.
        ending: Whether the service is about to end: it answers, and is not ready any more.
    """

    host: Host
    section: ServeSection
    ending: bool = field(default=False)


def service_of(connection: HTTPConnection) -> Service:
    """Return the service that a request reached."""
    found = connection.app.state.service
    assert isinstance(found, Service)  # noqa: S101 - set where the application is built
    return found


Served = Annotated[Service, Depends(service_of)]
"""A parameter of a route that is given the service."""


def host_of(connection: HTTPConnection) -> Host:
    """Return the host that a request reached."""
    return service_of(connection).host


HostOf = Annotated[Host, Depends(host_of)]
"""A parameter of a route, such as a plugin's, that is given the host."""
