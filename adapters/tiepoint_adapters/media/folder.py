"""Items from a folder of images, with texts and metadata in sidecar files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tiepoint.config.models import MetadataType
from tiepoint.errors import InputError, SchemaError
from tiepoint.types import Item, Skipped
from tiepoint_adapters.media.sidecar import Sidecar, read_sidecars

IMAGE_EXTENSIONS = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif")


class FolderSource:
    """Reads a folder: every image is an item, and files beside it say more about it.

    `x.jpg` may have `x.txt` beside it, whose content is the item's text, and `x.json`, an
    object with any of `id`, `text` and `metadata`. An item's id is the image's path relative
    to the folder, unless its JSON gives one. Hidden files and files of other types are
    ignored; links that leave the folder are refused.

    Args:
        path: The folder.
        extensions: Which files are images, without dots; upper and lower case are the same.
        recursive: Whether folders inside the folder are read too.
    """

    def __init__(
        self,
        path: Path,
        *,
        extensions: Sequence[str] = IMAGE_EXTENSIONS,
        recursive: bool = True,
    ) -> None:
        self.root = path
        self.suffixes = frozenset(f".{extension.lower().lstrip('.')}" for extension in extensions)
        self.recursive = recursive
        self.total: int | None = None

    def items(self, metadata: Mapping[str, MetadataType]) -> Iterator[Item | Skipped]:
        """Yield the images in the order of their names, folder by folder.

        Args:
            metadata: Not used: JSON has types of its own.

        Raises:
            InputError: The folder is missing or holds no image, or two items have the same id.
        """
        if not self.root.is_dir():
            raise InputError(
                "no such folder" if not self.root.exists() else "this is not a folder",
                where=str(self.root),
                hint="Name a folder of images.",
            )
        found = list(self._images(self.root))
        if not found:
            raise InputError(
                "the folder holds no image",
                where=str(self.root),
                hint=f"Images are files that end in {', '.join(sorted(self.suffixes))}.",
            )
        self._refuse_twins(found)
        self.total = len(found)
        for image in found:
            yield image if isinstance(image, Skipped) else self._item(image)

    def name_of(self, parts: Mapping[str, str]) -> str | None:
        """Return the path below the folder of an item that came from it; None for another's.

        Args:
            parts: What is stored of the item's parts.
        """
        image, root = Path(parts.get("image", "")), self.root.absolute()
        if image.suffix.lower() not in self.suffixes or not image.is_relative_to(root):
            return None
        name = image.relative_to(root)
        return name.as_posix() if self.recursive or len(name.parts) == 1 else None

    def _images(self, folder: Path) -> Iterator[Path | Skipped]:
        try:
            entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            yield Skipped(self._name(folder), f"the folder cannot be read: {error.strerror}")
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if entry.is_symlink():
                    yield Skipped(self._name(entry), "links to folders are not followed")
                elif self.recursive:
                    yield from self._images(entry)
            elif entry.suffix.lower() in self.suffixes:
                yield self._checked(entry)

    def _checked(self, image: Path) -> Path | Skipped:
        name = self._name(image)
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            return Skipped(ascii(name), "the file's name is not UTF-8")
        if not image.exists():
            return Skipped(name, "the link leads nowhere")
        if not image.resolve().is_relative_to(self.root.resolve()):
            return Skipped(name, "the link leaves the folder")
        return image

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _refuse_twins(self, found: Sequence[Path | Skipped]) -> None:
        seen: dict[str, Path] = {}
        for image in found:
            if isinstance(image, Skipped):
                continue
            identifier = self._name(image)
            if image.with_suffix(".json").is_file():
                sidecar = read_sidecars(image, self.root)
                identifier = (isinstance(sidecar, Sidecar) and sidecar.id) or identifier
            first = seen.setdefault(identifier, image)
            if first != image:
                raise InputError(
                    f"the id {identifier!r} is given twice: "
                    f"by {self._name(first)} and by {self._name(image)}",
                    where=str(self.root),
                    hint="Give every item its own id.",
                )

    def _item(self, image: Path) -> Item | Skipped:
        sidecar = read_sidecars(image, self.root)
        if isinstance(sidecar, Skipped):
            return sidecar
        try:
            return Item(
                sidecar.id or self._name(image),
                image=str(image.absolute()),
                text=sidecar.text,
                metadata=sidecar.metadata,
            )
        except SchemaError as error:
            return Skipped(self._name(image), error.what)
