"""The DICOM objects of a folder, whatever its files are called; a DICOMDIR's are those it lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tiepoint.errors import DecodeError, InputError
from tiepoint.types import Skipped
from tiepoint_adapters.dicom.reading import DicomObject, read_dicom

DIRECTORY = "DICOMDIR"


def find_files(root: Path) -> list[Path | Skipped]:
    """Return the files below a folder in the order of their names; a file itself if it is one.

    Hidden files and links that leave the folder are left out. Where the folder has a DICOMDIR,
    the files are those that it lists.

    Args:
        root: A folder, a file, or a DICOMDIR.

    Raises:
        InputError: There is nothing of that name.
    """
    if root.is_file():
        return _listed(root) if root.name.upper() == DIRECTORY else [root]
    if not root.is_dir():
        raise InputError("no such file or folder", where=str(root), hint="Check the path.")
    directory = root / DIRECTORY
    return _listed(directory) if directory.is_file() else list(_below(root, root.resolve()))


def require_files(root: Path) -> list[Path | Skipped]:
    """Return the files below a folder as `find_files`, which must be some.

    Raises:
        InputError: There is nothing of that name, or no file in it.
    """
    files = find_files(root)
    if not files:
        raise InputError("the folder holds no file", where=str(root), hint="Check the path.")
    return files


def find_objects(root: Path, *, pixels: bool = True) -> Iterator[DicomObject | Skipped]:
    """Yield the DICOM objects of a folder, and why the other files are none.

    Args:
        root: See `find_files`.
        pixels: Whether pixel data are read, too.

    Raises:
        InputError: There is nothing of that name.
    """
    for file in find_files(root):
        if isinstance(file, Skipped):
            yield file
            continue
        try:
            yield read_dicom(file, pixels=pixels)
        except DecodeError as error:
            yield Skipped(name_below(file, root), error.what)


def name_below(file: Path, root: Path) -> str:
    """Return a file's path below the folder that was named; its name if the file itself was."""
    base = root if root.is_dir() else root.parent
    try:
        return file.relative_to(base).as_posix()
    except ValueError:
        return file.name


def _below(folder: Path, root: Path) -> Iterator[Path | Skipped]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        yield Skipped(folder.name, f"the folder cannot be read: {error.strerror}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not entry.resolve().is_relative_to(root):
            yield Skipped(entry.name, "the link leaves the folder")
        elif entry.is_dir() and not entry.is_symlink():
            yield from _below(entry, root)
        elif entry.is_file():
            yield entry


def _listed(directory: Path) -> list[Path | Skipped]:
    """Return the files that a DICOMDIR lists (PS3.3 F), in its order."""
    dataset = read_dicom(directory).dataset
    root = directory.parent.resolve()
    found: list[Path | Skipped] = []
    for record in dataset.get("DirectoryRecordSequence") or []:
        parts = record.get("ReferencedFileID")
        if not parts:
            continue
        name = Path(*([parts] if isinstance(parts, str) else map(str, parts)))
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            found.append(Skipped(name.as_posix(), "the DICOMDIR leads out of its folder"))
        elif not file.is_file():
            found.append(Skipped(name.as_posix(), "the DICOMDIR lists a file that is not there"))
        else:
            found.append(directory.parent / name)
    return found
