"""The files of a folder that are of some kind, in a fixed order, each safe to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tiepoint.errors import InputError
from tiepoint.types import Skipped
from tiepoint_adapters.media.sidecar import Sidecar, read_sidecars


class MediaFolder:
    """Finds files by their extension; hidden ones, and links that leave the folder, are left.

    Args:
        root: The folder.
        extensions: Which files, without dots; upper and lower case are the same.
        recursive: Whether folders inside the folder are read too.
        noun: What such a file is, for errors.
    """

    def __init__(self, root: Path, extensions: Sequence[str], recursive: bool, noun: str) -> None:
        self.root = root
        self.suffixes = frozenset(f".{extension.lower().lstrip('.')}" for extension in extensions)
        self.recursive = recursive
        self.noun = noun

    def found(self) -> list[Path | Skipped]:
        """Return the files in the order of their names, folder by folder.

        Raises:
            InputError: The folder is missing or holds no such file, or two have the same id.
        """
        if not self.root.is_dir():
            raise InputError(
                "no such folder" if not self.root.exists() else "this is not a folder",
                where=str(self.root),
                hint=f"Name a folder of {self.noun}s.",
            )
        files = list(self._below(self.root))
        if not files:
            raise InputError(
                f"the folder holds no {self.noun}",
                where=str(self.root),
                hint=f"{self.noun.capitalize()}s are files that end in"
                f" {', '.join(sorted(self.suffixes))}.",
            )
        self._refuse_twins(files)
        return files

    def name(self, path: Path) -> str:
        """Return the path below the folder."""
        return path.relative_to(self.root).as_posix()

    def name_of(self, stored: str) -> str | None:
        """Return the path below the folder of a file that is stored; None for another's."""
        path, root = Path(stored), self.root.absolute()
        if path.suffix.lower() not in self.suffixes or not path.is_relative_to(root):
            return None
        name = path.relative_to(root)
        return name.as_posix() if self.recursive or len(name.parts) == 1 else None

    def _below(self, folder: Path) -> Iterator[Path | Skipped]:
        try:
            entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            yield Skipped(self.name(folder), f"the folder cannot be read: {error.strerror}")
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if entry.is_symlink():
                    yield Skipped(self.name(entry), "links to folders are not followed")
                elif self.recursive:
                    yield from self._below(entry)
            elif entry.suffix.lower() in self.suffixes:
                yield self._checked(entry)

    def _checked(self, file: Path) -> Path | Skipped:
        name = self.name(file)
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            return Skipped(ascii(name), "the file's name is not UTF-8")
        if not file.exists():
            return Skipped(name, "the link leads nowhere")
        if not file.resolve().is_relative_to(self.root.resolve()):
            return Skipped(name, "the link leaves the folder")
        return file

    def _refuse_twins(self, files: Sequence[Path | Skipped]) -> None:
        seen: dict[str, Path] = {}
        for file in files:
            if isinstance(file, Skipped):
                continue
            identifier = self.name(file)
            if file.with_suffix(".json").is_file():
                sidecar = read_sidecars(file, self.root)
                identifier = (isinstance(sidecar, Sidecar) and sidecar.id) or identifier
            first = seen.setdefault(identifier, file)
            if first != file:
                raise InputError(
                    f"the id {identifier!r} is given twice: "
                    f"by {self.name(first)} and by {self.name(file)}",
                    where=str(self.root),
                    hint="Give every item its own id.",
                )
