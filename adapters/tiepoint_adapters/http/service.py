"""What the routes of the service share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from tiepoint.config.service import ServeSection
from tiepoint.host import Host
from tiepoint_adapters.http.access import principal_of
from tiepoint_adapters.http.audit import Audit
from tiepoint_adapters.http.authentication import Authenticator
from tiepoint_adapters.http.given_parts import PartReader
from tiepoint_adapters.http.jobs import Jobs
from tiepoint_adapters.http.limits import Limits
from tiepoint_adapters.http.listing import Listing
from tiepoint_adapters.http.observing import Observer
from tiepoint_adapters.http.presence import Presence
from tiepoint_adapters.http.repeats import Repeats
from tiepoint_adapters.http.searching import Searching
from tiepoint_adapters.http.state import ServiceState
from tiepoint_adapters.http.tracing import Tracing


@dataclass(slots=True)
class Service:
    """A host that is served.

    Attributes:
        host: The host.
        section: How it is served.
        state: What the service keeps.
        presence: That this process is there, for others that share the state.
        authenticator: Tells who calls.
        limits: How much is taken on.
        observer: Counts what is answered.
        audit: Who saw and changed what.
        searching: Answers searches, those that wait together.
        parts: Reads what callers give as parts.
        repeats: Requests that may be sent again.
        listing: Items page by page.
        jobs: Long work.
        tracing: Traces requests.
        ending: Whether the service is about to end: it answers, and is not ready any more.
    """

    host: Host
    section: ServeSection
    state: ServiceState
    presence: Presence
    authenticator: Authenticator
    limits: Limits
    observer: Observer
    audit: Audit
    searching: Searching
    parts: PartReader
    repeats: Repeats
    listing: Listing
    jobs: Jobs
    tracing: Tracing
    ending: bool = field(default=False)

    @classmethod
    def of(cls, host: Host, state: ServiceState) -> Service:
        """Return the service that a host's deployment describes.

        Args:
            host: An open host.
            state: What the service keeps.
        """
        section, auth = host.deployment.server, host.deployment.auth
        observer = Observer()
        presence = Presence(state, alone="://" not in host.deployment.store.uri)
        return cls(
            host,
            section,
            state,
            presence,
            Authenticator(auth, state),
            Limits(section.limits),
            observer,
            Audit(state),
            Searching(host, observer.batches.observe),
            PartReader(section, state.folder),
            Repeats(state, presence),
            Listing(),
            Jobs(host, state, presence),
            Tracing(host.deployment.telemetry),
        )

    def start(self) -> None:
        """Begin what is done in the background."""
        self.observer.show(self._readings)
        self.presence.start()
        self.jobs.start()

    def close(self) -> None:
        """End what is done in the background."""
        self.jobs.close()
        self.presence.close()
        self.searching.close()
        self.tracing.close()

    def _readings(self) -> dict[str, float]:
        """Return what metrics show of the host."""
        host = self.host
        items = {
            f"tiepoint_items{{{name}}}": len(host.collection(name))
            for name in host.deployment.collections
        }
        jobs = {f"tiepoint_jobs{{{status}}}": n for status, n in self.jobs.counts().items()}
        return {**items, **jobs, "tiepoint_http_under_way": self.limits.under_way}

    def renewed(self) -> Service:
        """Return the service as the host's deployment describes it now."""
        section, auth = self.host.deployment.server, self.host.deployment.auth
        return replace(
            self,
            section=section,
            authenticator=Authenticator(auth, self.state),
            limits=Limits(section.limits),
            parts=PartReader(section, self.state.folder),
        )


def service_of(connection: HTTPConnection) -> Service:
    """Return the service that a request reached."""
    found = connection.app.state.service
    assert isinstance(found, Service)  # noqa: S101 - set where the application is built
    return found


async def _service(connection: HTTPConnection) -> Service:
    return service_of(connection)


Served = Annotated[Service, Depends(_service)]
"""A parameter of a route that is given the service."""


async def _host(connection: HTTPConnection) -> Host:
    return service_of(connection).host


HostOf = Annotated[Host, Depends(_host)]
"""A parameter of a route, such as a plugin's, that is given the host."""


def audited(action: str) -> Any:
    """Return a dependency that writes down who does this, and where, before it is done.

    Args:
        action: What is done, such as `evidence` or `study`.
    """

    def write(connection: HTTPConnection) -> None:
        client = connection.client
        service_of(connection).audit.write(
            principal_of(connection).name,
            client.host if client is not None else "local",
            action,
            connection.url.path,
        )

    return Depends(write)
