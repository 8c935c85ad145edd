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
        FingerprintError: The store was made, or is served, with other encoders or fields.
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
                return _ask_owner(host, question, config)
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
    if "://" in uri:
        return
    if Path(uri).expanduser().is_file():
        raise InputError("the store's path is a file", where=uri, hint="Name a folder.")
    if not is_store(Path(uri).expanduser()):
        raise InputError(
            "there is no store here", where=uri, hint=f"Make it: tiepoint index {config}"
        )


def _ask_owner(
    host: Host, question: dict[str, Any], config: Path
) -> tuple[list[dict[str, Any]], float]:
    from tiepoint.index.snapshot import schema_hash
    from tiepoint.owner import OwnerClient

    schema = host.schema(question["collection"])
    params = {**question, "collection": schema.name, "schema": schema_hash(schema)}
    client = OwnerClient(host.deployment.store.uri)
    started = time.perf_counter()
    hits: list[dict[str, Any]] = client.call("search", params)["hits"]
    took_ms = (time.perf_counter() - started) * 1000
    if not hits and not client.call("stored", {})["collections"][schema.name]["items"]:
        _warn_of_empty(config)
    return hits, took_ms


def _warn_of_empty(config: Path) -> None:
    warn(f"the collection is empty. Fill it: tiepoint index {config}")
