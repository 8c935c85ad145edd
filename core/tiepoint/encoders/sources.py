"""Where a transformers model's files are: a package, a local folder, or a model hub."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from tiepoint.encoders.digests import file_digest
from tiepoint.encoders.packages import package_file, package_sha256, packaged_files
from tiepoint.errors import ConfigError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "1_Pooling/*.json")


class ModelFiles:
    """The files of a transformers model, resolved at first use.

    Args:
        model: `package:<name>` (a package of our manifest), a local folder, or a hub id such
            as `owner/name`, which is downloaded on first use.
        where: The option that named it, for errors.

    Raises:
        ConfigError: It is none of these; or, at first use, files are missing or cannot be had.
    """

    def __init__(self, model: str, where: str = "model") -> None:
        self.model = model
        self._where = where
        local = Path(model).expanduser()
        self._kind = (
            "package"
            if model.startswith("package:")
            else "folder"
            if local.is_dir()
            else "hub"
            if _HUB_ID.fullmatch(model)
            else ""
        )
        if not self._kind:
            raise ConfigError(
                f"there is no model folder {model!r}",
                where=where,
                hint="Give a folder, `package:<name>`, or a hub id such as `owner/name`.",
            )

    @cached_property
    def folder(self) -> Path:
        """The folder with the files; downloads a hub id that is not there yet."""
        if self._kind == "package":
            return package_file(f"{self._package}/config.json").parent
        folder = Path(self.model).expanduser() if self._kind == "folder" else self._download()
        if not any(folder.glob("*.safetensors")):
            raise ConfigError(
                "the model has no .safetensors file",
                where=str(folder),
                hint="Pickled weights can run code and are not loaded: save the model again "
                "with `save_pretrained`, which writes safetensors.",
            )
        return folder

    def verify(self) -> None:
        """Check that every file of a package has its pinned content.

        Raises:
            FingerprintError: A file has another content.
        """
        if self._kind == "package":
            for name in self._pinned:
                package_file(name)

    @property
    def _package(self) -> str:
        return self.model.removeprefix("package:")

    @property
    def _pinned(self) -> list[str]:
        return sorted(name for name in packaged_files() if name.startswith(f"{self._package}/"))

    def _download(self) -> Path:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(self.model, allow_patterns=list(_FILES)))
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise ConfigError(
                f"{self.model!r} is no local folder and cannot be had from the model hub "
                f"({type(error).__name__})",
                where=self._where,
                hint="Check the name and the network, or copy the model here and give its folder.",
            ) from error

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and contents of all files that vectors can depend on."""
        if self._kind == "package":
            digests = {name: package_sha256(name) for name in self._pinned}
        else:
            paths = sorted(path for pattern in _FILES for path in self.folder.glob(pattern))
            digests = {
                path.relative_to(self.folder).as_posix(): file_digest(path) for path in paths
            }
        listing = "".join(f"{name}\0{digest}\n" for name, digest in digests.items())
        return hashlib.sha256(listing.encode()).hexdigest()

    def optional_json(self, name: str) -> dict[str, Any] | None:
        """Return one of its JSON files, or None if it has no such file."""
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ConfigError("the file is not JSON", where=str(path)) from error
        if not isinstance(content, dict):
            raise ConfigError("the file is not a JSON object", where=str(path))
        return content

    @cached_property
    def config(self) -> dict[str, Any]:
        """Its `config.json`."""
        config = self.optional_json("config.json")
        if config is None or "model_type" not in config:
            raise ConfigError(
                "the folder has no config.json with a model_type",
                where=str(self.folder),
                hint="Give the folder that `save_pretrained` wrote.",
            )
        return config

    @cached_property
    def full_config(self) -> Any:
        """Its configuration with all defaults filled in: a transformers config object."""
        from transformers import AutoConfig

        with loading_errors(self, "configuration"):
            return AutoConfig.from_pretrained(
                self.folder, local_files_only=True, trust_remote_code=False
            )


@contextmanager
def loading_errors(files: ModelFiles, what: str) -> Iterator[None]:
    """Check a package's files, and turn what transformers raises into one clear line.

    Args:
        files: The model that is loaded inside.
        what: What is loaded, for the error.

    Raises:
        ConfigError: transformers cannot load it.
        FingerprintError: A file of a package is not the pinned one.
    """
    from transformers.utils import logging

    files.verify()
    # Half a second's progress bars would land between an application's own lines.
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ConfigError(
            f"transformers cannot load the {what}: {reason}",
            where=str(files.folder),
            hint="Give a folder as `save_pretrained` writes it, with all its files.",
        ) from error
