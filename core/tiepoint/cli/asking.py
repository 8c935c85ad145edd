"""One search, by whichever process can do it: this one, or the one that holds the store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiepoint.cli.output import warn
from tiepoint.errors import InputError, StoreOwnedError

if TYPE_CHECKING:
    from tiepoint.host import Host

WAIT_S = 30.0
"""How long to wait for a process that holds the store, and opens or closes it just now."""

_RETRY_S = 0.05


def ask(config: Path, question: dict[str, Any]) -> tuple[list[dict[str, Any]], float]:
    """Return the hits as plain data and the milliseconds that the search took.

    Where the collection is empty, a warning says so.

    Args:
        config: The deployment file.
        question: Keyword arguments of `Host.search`.

    Raises:
        InputError: The question or the deployment cannot be used, or there is no store.
        StoreOwnedError: A process has held the store for `WAIT_S` without taking calls.
    """
    from tiepoint.host import Host
    from tiepoint.owner import OwnerGoneError

    host = Host.from_config(config)
    _require_store(host, config)
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            host.open()
        except StoreOwnedError:
            try:
                return _ask_owner(host.deployment.store.uri, question, config)
            except (StoreOwnedError, OwnerGoneError):
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_RETRY_S)
        else:
            break
    with host:
        started = time.perf_counter()
        hits = [hit.as_dict() for hit in host.search(**question)]
        took_ms = (time.perf_counter() - started) * 1000
        if not hits and not len(host.collection(question.get("collection"))):
            _warn_of_empty(config)
        return hits, took_ms


def _require_store(host: Host, config: Path) -> None:
    """Refuse to search what was never made, rather than make it and find nothing."""
    from tiepoint.index.embedded import is_store

    uri = host.deployment.store.uri
    if "://" not in uri and not is_store(Path(uri).expanduser()):
        raise InputError(
            "there is no store here", where=uri, hint=f"Make it: tiepoint index {config}"
        )


def _ask_owner(
    store: str, question: dict[str, Any], config: Path
) -> tuple[list[dict[str, Any]], float]:
    from tiepoint.owner import OwnerClient

    client = OwnerClient(store)
    started = time.perf_counter()
    hits: list[dict[str, Any]] = client.call("search", question)["hits"]
    took_ms = (time.perf_counter() - started) * 1000
    if not hits:
        stored = client.call("stored", {})["collections"]
        asked = [question["collection"]] if question.get("collection") else list(stored)
        if not any(stored[name]["items"] for name in asked):
            _warn_of_empty(config)
    return hits, took_ms


def _warn_of_empty(config: Path) -> None:
    warn(f"the collection is empty. Fill it: tiepoint index {config}")
