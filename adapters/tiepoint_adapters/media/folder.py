"""Items from a folder of images, with texts and metadata in sidecar files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tiepoint.config.collections import MetadataType
from tiepoint.errors import SchemaError
from tiepoint.types import Item, Skipped
from tiepoint_adapters.media.files import MediaFolder
from tiepoint_adapters.media.sidecar import read_sidecars

IMAGE_EXTENSIONS = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "dcm")


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
        self.folder = MediaFolder(path, extensions, recursive, "image")
        self.total: int | None = None

    def items(self, metadata: Mapping[str, MetadataType]) -> Iterator[Item | Skipped]:
        """Yield the images in the order of their names, folder by folder.

        Args:
            metadata: Not used: JSON has types of its own.

        Raises:
            InputError: The folder is missing or holds no image, or two items have the same id.
        """
        found = self.folder.found()
        self.total = len(found)
        for image in found:
            yield image if isinstance(image, Skipped) else self._item(image)

    def name_of(self, item: str, parts: Mapping[str, str]) -> str | None:
        """Return the path below the folder of an item that came from it; None for another's.

        Args:
            item: Its id.
            parts: What is stored of the item's parts.
        """
        return self.folder.name_of(parts.get("image", ""))

    def _item(self, image: Path) -> Item | Skipped:
        sidecar = read_sidecars(image, self.folder.root)
        if isinstance(sidecar, Skipped):
            return sidecar
        try:
            return Item(
                sidecar.id or self.folder.name(image),
                image=str(image.absolute()),
                text=sidecar.text,
                metadata=sidecar.metadata,
            )
        except SchemaError as error:
            return Skipped(self.folder.name(image), error.what)
