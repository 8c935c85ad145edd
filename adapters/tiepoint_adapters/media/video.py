"""Items from a folder of videos: one for every segment, with its times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tiepoint.config.collections import MetadataType
from tiepoint.errors import DecodeError, SchemaError
from tiepoint.sequences.clips import Clip
from tiepoint.sequences.segments import Segment, Segmentation
from tiepoint.types import Item, MetadataValue, Skipped
from tiepoint_adapters.media.files import MediaFolder
from tiepoint_adapters.media.sidecar import Sidecar, read_sidecars

VIDEO_EXTENSIONS = ("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "wmv", "flv")


class VideoSource:
    """Reads a folder: every segment of a video is an item.

    An item's part `video` is the file with a time range, `talk.mp4#t=10,20.5`; its id is the
    same with the path below the folder. Of `start_s`, `end_s` (seconds, float) and `file` (the
    path below the folder, string) an item gets those that the collection declares. `x.mp4` may
    have `x.txt` and `x.json` beside it, as pictures have: their text and metadata go to every
    segment.

    Args:
        path: The folder.
        segments: `shots`: a segment is a shot; `windows`: videos are cut by the clock.
        shortest_s: No shot is shorter, in seconds.
        longest_s: What is longer is cut into pieces of equal length of at most this.
        extensions: Which files are videos, without dots.
        recursive: Whether folders inside the folder are read too.

    Raises:
        ConfigError: Segments that cannot be.
    """

    def __init__(
        self,
        path: Path,
        *,
        segments: Literal["shots", "windows"] = "shots",
        shortest_s: float = 1.0,
        longest_s: float = 10.0,
        extensions: Sequence[str] = VIDEO_EXTENSIONS,
        recursive: bool = True,
    ) -> None:
        self.folder = MediaFolder(Path(path), extensions, recursive, "video")
        self.segmentation = Segmentation(segments, shortest_s, longest_s)
        self.total: int | None = None  # how many segments there are is known at the end

    def items(self, metadata: Mapping[str, MetadataType]) -> Iterator[Item | Skipped]:
        """Yield the segments in the order of the files' names and of time.

        Args:
            metadata: The types that the collection declares.

        Raises:
            InputError: The folder is missing or holds no video, or two have the same id.
            MissingDependencyError: A package that decodes or cuts videos is absent.
        """
        for file in self.folder.found():
            if isinstance(file, Skipped):
                yield file
                continue
            sidecar = read_sidecars(file, self.folder.root)
            if isinstance(sidecar, Skipped):
                yield sidecar
                continue
            try:
                segments = self.segmentation.of(Clip(file))
            except DecodeError as error:
                yield Skipped(self.folder.name(file), error.what)
                continue
            for segment in segments:
                yield self._item(file, segment, sidecar, metadata)

    def name_of(self, item: str, parts: Mapping[str, str]) -> str | None:
        """Return the path below the folder of an item that came from it; None for another's.

        Args:
            item: Its id.
            parts: What is stored of the item's parts.
        """
        return self.folder.name_of(parts.get("video", "").rpartition("#t=")[0])

    def _item(
        self,
        file: Path,
        segment: Segment,
        sidecar: Sidecar,
        declared: Mapping[str, MetadataType],
    ) -> Item | Skipped:
        name = self.folder.name(file)
        clip = Clip(file.absolute(), segment.start_s, segment.end_s)
        told: dict[str, MetadataValue] = {
            "start_s": segment.start_s,
            "end_s": segment.end_s,
            "file": name,
        }
        metadata = {key: value for key, value in told.items() if key in declared}
        try:
            return Item(
                f"{sidecar.id or name}#t={clip.range}",
                video=clip.where,
                text=sidecar.text,
                metadata={**metadata, **sidecar.metadata},
            )
        except SchemaError as error:
            return Skipped(name, error.what)
