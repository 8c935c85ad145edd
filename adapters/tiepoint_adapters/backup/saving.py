"""Making a backup, of a deployment that is served or not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tiepoint.config.loader import load
from tiepoint.config.models import Deployment
from tiepoint.conversation.store import sessions_file
from tiepoint.errors import InputError, StoreError, StoreOwnedError
from tiepoint.host import Host
from tiepoint.owner import OwnerClient, OwnerGoneError
from tiepoint.plugin import Plugin
from tiepoint_adapters.backup.archive import Kept, Manifest, keep, seal
from tiepoint_adapters.backup.postgresql import dump, public
from tiepoint_adapters.http.state import state_folder

_LONGEST_S = 24 * 3600.0

DATABASES = "databases"
"""The folder of databases in a backup."""


def save(config: Path, target: Path) -> Manifest:
    """Write a backup of a deployment; returns what it holds.

    Raises:
        InputError: The folder exists, or the deployment is wrong.
        StoreError: The backup cannot be written, or what was copied differs.
    """
    if target.exists():
        raise InputError("this exists", where=str(target), hint="Name a folder that does not.")
    deployment = load(config)
    draft = target.with_name(f".{target.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)
        shutil.copy2(config, draft / "deployment.yaml")
        reports = _copy_store(deployment, draft / "store")
        kept = [one for one in places(deployment) if keep(Path(one.origin), draft / one.place)]
        for place, url in databases(deployment).items():
            dump(url, draft / place)
            kept.append(Kept(origin=public(url), place=place))
        collections = {one["collection"]: (one["items"], one["checksum"]) for one in reports}
        manifest = seal(draft, collections, kept)
        draft.rename(target)
    except OSError as error:
        raise StoreError(
            f"the backup cannot be written ({error.strerror or error})",
            where=str(target),
            hint="Free some space, or name another folder.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _copy_store(deployment: Deployment, folder: Path) -> list[dict[str, Any]]:
    """Copy the store, by the process that holds it if there is one."""
    try:
        with Host(deployment) as host:
            return [report.as_dict() for report in host.copy_store(folder)]
    except StoreOwnedError as owned:
        client = OwnerClient(deployment.store.uri, timeout_s=_LONGEST_S)
        try:
            done = client.call("copy_store", {"folder": str(folder.absolute())})
        except OwnerGoneError:
            raise owned from None
        return list(done["collections"])


def places(deployment: Deployment) -> Iterator[Kept]:
    """Yield the files that are kept beside the store, and their places in the backup."""
    yield Kept(origin=str(state_folder(deployment)), place="state")
    yield Kept(origin=str(sessions_file(deployment.store.uri)), place="sessions.sqlite")
    if deployment.auth is not None:
        yield Kept(origin=str(deployment.auth.keys), place="keys.json")
    for name, plugin in _plugins(deployment).items():
        for number, path in enumerate(plugin.files(deployment.store.uri)):
            yield Kept(origin=str(path.absolute()), place=f"plugins/{name}/{number}")


def databases(deployment: Deployment) -> dict[str, str]:
    """Return the URLs of the PostgreSQL databases of a deployment, by their places in the backup.

    One that plugins, or they and the service, share is there once, under the names of all of them.
    """
    users: dict[str, list[str]] = {}
    if deployment.server.database is not None:
        users[deployment.server.database.get_secret_value()] = ["service"]
    for name, plugin in sorted(_plugins(deployment).items()):
        for url in plugin.databases():
            users.setdefault(url, []).append(name)
    return {f"{DATABASES}/{'+'.join(names)}.dump": url for url, names in users.items()}


def _plugins(deployment: Deployment) -> dict[str, Plugin]:
    from tiepoint import registry

    return {
        name: registry.build_plugin(name, options) for name, options in deployment.plugins.items()
    }
