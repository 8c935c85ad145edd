"""The demo's deployment, and its collections filled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tiepoint.embedded import WORDS
from tiepoint.encoders.images import read_image
from tiepoint.errors import DecodeError, InputError
from tiepoint.types import Item, Skipped
from tiepoint_adapters.demo.pictures import LANGUAGES, Picture
from tiepoint_adapters.media.folder import FolderSource

if TYPE_CHECKING:
    from tiepoint.host import Host

DEPLOYMENT = "deployment.yaml"
STORE = "store"
_HEADER = (
    "# Written by `tiepoint demo`. Ask it: tiepoint search {file} --collection items --text ...\n"
)


@dataclass(frozen=True, slots=True)
class Filling:
    """What was indexed, and how fast.

    Attributes:
        pictures: Pictures in the collections.
        captions: Captions in the collections.
        picture_s: Seconds from the picture files to durable vectors.
        caption_s: Seconds for the captions.
        encoded: Pictures that went through the encoder; the others' vectors were cached.
        skipped: Pictures that could not be read.
    """

    pictures: int
    captions: int
    picture_s: float
    caption_s: float
    encoded: int
    skipped: list[Skipped]

    @property
    def pictures_per_s(self) -> float | None:
        """The rate of the pictures; None where vectors came from the cache, which is no rate."""
        return self.pictures / self.picture_s if self.encoded == self.pictures else None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, in the documented shape of `demo --json`."""
        return {**asdict(self), "pictures_per_s": self.pictures_per_s}


def write_deployment(out: Path, preset: str, pictures: Sequence[Picture]) -> Path:
    """Write the demo's deployment file, remove what an earlier demo stored, return its path.

    Pictures and captions are in collections of their own, so that a question about one cannot
    be answered from the other; a third collection holds both together.

    Raises:
        InputError: The folder holds something else than an earlier demo.
    """
    import yaml

    path = out / DEPLOYMENT
    header = _HEADER.format(file=path)
    if (out / STORE).exists():
        ours = path.is_file() and path.read_text("utf-8").startswith(_HEADER[:30])
        if not ours:
            raise InputError(
                f"the folder {STORE} in it was not made by a demo",
                where=str(out),
                hint="Choose another --out.",
            )
        shutil.rmtree(out / STORE)
    names = [name for name in LANGUAGES if any(name in p.captions for p in pictures)]
    text = {"encoder": "words", "words": True}
    content = {
        "version": 1,
        "encoders": {"photo": {"type": "timm", "preset": preset}, "words": WORDS},
        "alignment": {"type": "default", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": f"./{STORE}"},
        "collections": {
            "pictures": {"fields": {"image": {"encoder": "photo"}}},
            "captions": {"fields": {"text": {**text}}, "metadata": {"language": "string"}},
            "items": {
                "fields": {"image": {"encoder": "photo"}, **{name: {**text} for name in names}}
            },
        },
    }
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    path.write_text(header + body, encoding="utf-8")
    return path


def fill(host: Host, pictures: Sequence[Picture]) -> Filling:
    """Index pictures, captions and both together; broken pictures are left out."""
    started = perf_counter()
    report = host.add(
        (Item(picture.id, image=str(picture.path)) for picture in pictures),
        collection="pictures",
        strict=False,
    )
    picture_s = perf_counter() - started
    broken = {skipped.where for skipped in report.skipped}
    usable = [picture for picture in pictures if picture.id not in broken]
    started = perf_counter()
    captions = host.add(_captions(usable), collection="captions")
    caption_s = perf_counter() - started
    host.add(
        (Item(picture.id, image=str(picture.path), parts=picture.captions) for picture in usable),
        collection="items",
    )
    return Filling(
        report.added, captions.added, picture_s, caption_s, report.encoded, report.skipped
    )


def _captions(pictures: Sequence[Picture]) -> Iterator[Item]:
    for picture in pictures:
        for name, text in picture.captions.items():
            yield Item(f"{picture.id}/{name}", text=text, metadata={"language": LANGUAGES[name]})


def folder_pictures(folder: Path) -> tuple[list[Picture], list[Skipped]]:
    """Return a user's pictures with the texts of their sidecars, and what cannot be used.

    Raises:
        InputError: The folder is missing, or holds no image that can be read.
    """
    pictures, skipped = [], []
    for entry in FolderSource(folder).items({}):
        if isinstance(entry, Skipped):
            skipped.append(entry)
            continue
        text = entry.parts.get("text")
        captions = {"text": text} if text else {}
        pictures.append(Picture(entry.id, Path(entry.parts["image"]), captions))
    _refuse_if_broken(folder, pictures)
    return pictures, skipped


def _refuse_if_broken(folder: Path, pictures: Sequence[Picture]) -> None:
    """Decode pictures until one can be: before an earlier demo gives way to this one."""
    reasons = []
    for picture in pictures:
        try:
            read_image(picture.path)
        except DecodeError as error:
            reasons.append(f"; the first: {picture.id}: {error.what}")
        else:
            return
    raise InputError(
        f"no picture could be read{''.join(reasons[:1])}",
        where=str(folder),
        hint="Name a folder with pictures.",
    )
