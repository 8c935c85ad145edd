"""Putting back what a backup holds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tiepoint.config.loader import load as load_deployment
from tiepoint.config.models import Deployment
from tiepoint.errors import InputError, StoreError
from tiepoint.index.copying import copy_collection
from tiepoint.index.milvus import MilvusStore
from tiepoint_adapters.backup.archive import Manifest, verified
from tiepoint_adapters.backup.postgresql import load, public, require_empty
from tiepoint_adapters.backup.saving import DATABASES, databases, places


def put_back(config: Path, source: Path) -> Manifest:
    """Restore a backup into a deployment that has nothing yet; returns what was restored.

    Files go where this deployment keeps them, which may be elsewhere than they came from.

    Raises:
        InputError: The backup is not sound, or something is there that it would replace.
        StoreError: The store cannot be written, or what was restored differs from the backup.
    """
    manifest = verified(source)
    deployment = load_deployment(config)
    wanted = {place.place: Path(place.origin) for place in places(deployment)}
    files = [
        (source / kept.place, wanted[kept.place]) for kept in manifest.kept if kept.place in wanted
    ]
    urls = databases(deployment)
    _require_same_databases(manifest, urls)
    for kept, target in files:
        _require_absent(kept, target)
    for url in urls.values():
        require_empty(url)
    _restore_store(deployment, source, manifest)
    for kept, target in files:
        _restore(kept, target)
    for place, url in urls.items():
        load(url, source / place)
    return manifest


def _require_same_databases(manifest: Manifest, urls: Mapping[str, str]) -> None:
    """Refuse a deployment that would leave a database of the backup, or one of its own, empty."""
    saved = {kept.place for kept in manifest.kept if kept.place.startswith(f"{DATABASES}/")}
    if different := sorted(saved ^ urls.keys()):
        plugins = Path(different[0]).stem.replace("+", ", ")
        raise InputError(
            f"the backup and the deployment keep the records of {plugins} differently",
            where="PostgreSQL" if different[0] in saved else public(urls[different[0]]),
            hint="Restore with the databases of the deployment.yaml in the backup.",
        )


def _require_absent(kept: Path, target: Path) -> None:
    occupied = target.is_file() if kept.is_file() else target.is_dir() and any(target.iterdir())
    if occupied:
        raise InputError(
            "this is here already, and would be replaced",
            where=str(target),
            hint="Move it away, or restore with a deployment that keeps things elsewhere.",
        )


def _restore_store(deployment: Deployment, source: Path, manifest: Manifest) -> None:
    target = MilvusStore(deployment.store.uri, deployment.store.server)
    # A copy is opened, as opening writes and the backup stays as it is.
    with tempfile.TemporaryDirectory(prefix="tiepoint-restore-") as folder:
        shutil.copytree(source / "store", Path(folder) / "store")
        original = MilvusStore(str(Path(folder) / "store"))
        original.open()
        try:
            target.open()
            try:
                _require_empty(target)
                for name, schema in original.collections().items():
                    report = copy_collection(original, target, schema)
                    if (report.items, report.checksum) != manifest.collections[name]:
                        raise StoreError(
                            "what was restored differs from the backup",
                            where=f"collection {name!r}",
                            hint="Use another backup.",
                        )
            finally:
                target.close()
        finally:
            original.close()


def _require_empty(target: MilvusStore) -> None:
    for name in target.collections():
        if target.count(name):
            raise InputError(
                f"the store has items in {name!r}",
                where=target.address,
                hint="Restore into a store that is new.",
            )


def _restore(kept: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if kept.is_dir():
        shutil.copytree(kept, target, dirs_exist_ok=True)
    else:
        shutil.copy2(kept, target)
