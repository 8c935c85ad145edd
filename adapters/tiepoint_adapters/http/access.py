"""Who calls, and what they may do.

The service finds out who calls before a route is reached; a route only says what it needs:

    @router.get("/export", dependencies=[requires("security:export")])
    def export(caller: Caller) -> ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends
from starlette.requests import HTTPConnection

from tiepoint.errors import TiepointError

READING = ("GET", "HEAD", "OPTIONS")

CORE_SCOPES = {
    "search": "Search collections.",
    "items:read": "Read items, their pictures and their clips.",
    "items:write": "Add, change and delete items.",
    "jobs:read": "See jobs.",
    "jobs:write": "Start and cancel jobs.",
    "system:read": "See health, collections, alignment and metrics.",
    "system:write": "Reload the deployment file.",
    "audit:read": "Read who saw and changed what.",
}
"""What callers may be allowed to do, beside what plugins bring."""


class NotAllowedError(TiepointError):
    """The caller may not do this, or has not said who they are.

    Args:
        known: Whether the caller is known (and may not), or unknown (and has to say).
    """

    def __init__(self, what: str, *, known: bool, hint: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.known = known


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Attributes:
        name: What the audit calls them: `key:front-desk`, `oidc:ann@example.org`, `local`.
        scopes: What they may do; `*` is everything, `security:*` all of a plugin.
        kind: How they are known.
    """

    name: str
    scopes: frozenset[str]
    kind: Literal["anonymous", "local", "key", "oidc", "session"]

    def may(self, scope: str) -> bool:
        """Tell whether a scope is among theirs, by itself or by a wildcard."""
        family = scope.partition(":")[0]
        return not self.scopes.isdisjoint(("*", scope, f"{family}:*"))

    def require(self, scope: str) -> None:
        """Refuse who may not do this.

        Raises:
            NotAllowedError: The scope is not among theirs.
        """
        if self.may(scope):
            return
        if self.kind == "anonymous":
            raise NotAllowedError(
                "this needs a key", known=False, hint="Send `Authorization: Bearer KEY`."
            )
        raise NotAllowedError(
            f"this needs the scope {scope}", known=True, hint="Ask for a key that has it."
        )


ANONYMOUS = Principal("anonymous", frozenset(), "anonymous")
LOCAL = Principal("local", frozenset({"*"}), "local")


def principal_of(connection: HTTPConnection) -> Principal:
    """Return who calls, as the service has found out."""
    found = connection.scope.get("tiepoint.principal", ANONYMOUS)
    assert isinstance(found, Principal)  # noqa: S101 - set by the service alone
    return found


# Dependencies are coroutines, as FastAPI runs plain functions in threads.
async def _caller(connection: HTTPConnection) -> Principal:
    return principal_of(connection)


Caller = Annotated[Principal, Depends(_caller)]
"""A parameter of a route that is told who calls."""


def requires(scope: str) -> Any:
    """Return a dependency that refuses callers without a scope."""

    async def check(caller: Caller) -> None:
        caller.require(scope)

    return Depends(check)


def plugin_access(name: str) -> Callable[[HTTPConnection], Awaitable[None]]:
    """Return a dependency by which a plugin's routes need its `read`, or its `write` scope."""

    async def check(connection: HTTPConnection) -> None:
        reading = connection.scope["type"] == "websocket" or connection.scope["method"] in READING
        principal_of(connection).require(f"{name}:{'read' if reading else 'write'}")

    return check
