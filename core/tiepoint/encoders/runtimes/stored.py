"""Exported models on disk: written whole or not at all, and rebuilt when damaged."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tiepoint.paths import cache_dir, work_uncached
from tiepoint.scratch import ScratchFolder

logger = logging.getLogger(__name__)

_SUMS = "sha256.json"

_uncached: dict[Path, ScratchFolder] = {}
"""What the cache could not take, for as long as this process lives."""


class StoredModel:
    """The place of one exported model in the cache.

    Args:
        key: Names everything that the export depends on.
    """

    def __init__(self, key: str) -> None:
        slug = re.sub(r"[^A-Za-z0-9.]+", "-", key)[:48].strip("-")
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        self.folder = cache_dir("models") / f"{slug}-{digest}"

    def find(self) -> Path | None:
        """Return the folder of the export if it is there and intact."""
        if self.folder in _uncached:
            return _uncached[self.folder].path
        try:
            sums = json.loads((self.folder / _SUMS).read_text())
            intact = bool(sums) and all(
                _sha256(self.folder / name) == expected for name, expected in sums.items()
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            intact = False
        except (OSError, ValueError, AttributeError) as error:
            logger.warning("the model in %s cannot be read (%s)", self.folder, error)
            intact = False
        if intact:
            return self.folder
        with suppress(PermissionError):
            if self.folder.exists():
                logger.warning("the model in %s is damaged and is made again", self.folder)
                shutil.rmtree(self.folder, ignore_errors=True)
        return None

    def write(self, fill: Callable[[Path], object]) -> Path:
        """Let `fill` write files into an empty folder, then move it into its place.

        Where the cache cannot take them, they go into a folder that ends with this process.

        Raises:
            OSError: They cannot be written there either.
        """
        try:
            return self._write_to_cache(fill)
        except OSError as error:
            work_uncached(error)
        scratch = ScratchFolder("model")
        fill(scratch.path)
        _uncached[self.folder] = scratch
        return scratch.path

    def _write_to_cache(self, fill: Callable[[Path], object]) -> Path:
        with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=".new-") as name:
            new = Path(name) / "model"
            new.mkdir()
            fill(new)
            sums = {file.name: _sha256(file) for file in sorted(new.iterdir())}
            (new / _SUMS).write_text(json.dumps(sums))
            try:
                new.rename(self.folder)
            except OSError:
                # Another process was faster; what it wrote is as good.
                if self.find() is None:
                    new.rename(self.folder)
        return self.folder


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
