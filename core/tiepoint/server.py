"""The contract of servers: what brings a host to the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tiepoint.host import Host

Message: TypeAlias = MutableMapping[str, Any]
Asgi: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI 3 application: called with a scope, and with what receives and sends messages."""


class Server(ABC):
    """Brings a host to the network (entry points: `tiepoint.servers`).

    Constructed cheaply with the host, and with the keys of the deployment file's `server`
    section that this section does not itself declare.

    Args:
        host: What is served; not open yet.
    """

    def __init__(self, host: Host) -> None:
        self.host = host

    @property
    @abstractmethod
    def asgi(self) -> Asgi:
        """The application, to be mounted in another one; it answers while `running`."""

    @abstractmethod
    def running(self) -> AbstractAsyncContextManager[None]:
        """Serve, while the host is open: entered at its start, left before it closes."""

    def reloaded(self) -> None:
        """Take over the host's changed deployment and plugins; called in any thread."""

    @abstractmethod
    def serve(self) -> None:
        """Open the host, listen at the deployment's address, and stay until SIGINT or SIGTERM.

        Raises:
            ConfigError: It would listen to others without telling who they are, or a
                certificate cannot be used.
            InputError: The address is in use.
        """
