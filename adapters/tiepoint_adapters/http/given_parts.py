"""Parts of items and queries as callers give them: texts, vectors, bytes, and what is allowed.

A caller never has the service open a file or a URL that the deployment does not allow: a string
is a text and nothing else, bytes are kept under the hash of their content, a path must lie in a
folder of `server.files`, and a URL must begin as one of `server.fetch` does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import posixpath
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tiepoint.config.service import ServeSection
from tiepoint.errors import DecodeError, QueryError
from tiepoint.types import TEXT

_FETCH_S = 10.0
_KEPT = "parts"
"""The folder of what callers sent; a file is named by its content, wherever the folder lies."""
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"BM", "bmp"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (4, b"ftyp", "mp4"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (8, b"AVI ", "avi"),
    (8, b"WAVE", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (128, b"DICM", "dcm"),
)
"""Where in a file its kind is told, how, and the ending that it is kept under."""


class GivenFile(BaseModel):
    """A picture, a sound or a video: its bytes, a path, or a URL; one of them."""

    model_config = ConfigDict(extra="forbid")

    base64: str | None = Field(default=None, description="Its bytes.")
    path: str | None = Field(
        default=None, max_length=4096, description="A file in a folder of `server.files`."
    )
    url: str | None = Field(
        default=None, max_length=4096, description="A URL that `server.fetch` allows."
    )

    @model_validator(mode="after")
    def _one_is_given(self) -> GivenFile:
        if sum(value is not None for value in (self.base64, self.path, self.url)) != 1:
            raise ValueError("give one of base64, path and url")
        return self


Number = Annotated[float, Field(allow_inf_nan=False)]
GivenPart = str | list[Number] | GivenFile


class PartReader:
    """Turns parts of callers into parts of the host.

    Args:
        section: What the deployment allows.
        folder: Where bytes are kept.
    """

    def __init__(self, section: ServeSection, folder: Path) -> None:
        self._section = section
        self._folder = folder
        self._most = int(section.limits.body_mib * (1 << 20))

    def stored(self, part: GivenPart, modality: str, where: str) -> Any:
        """Return a part as an item stores it: a text, a vector, or the path of a file.

        Args:
            part: As it was given.
            modality: Of the field that takes it.
            where: What to call it in errors.

        Raises:
            QueryError: It is not allowed, or not what the field takes.
            DecodeError: It is no file of a kind that is known.
        """
        if isinstance(part, GivenFile):
            if part.path is not None:
                return self._allowed_path(part.path, where)
            return self._kept(self._bytes(part, where), where)
        if isinstance(part, str) and modality != TEXT:
            raise QueryError(
                f"a text is no {modality}",
                where=where,
                hint='Give {"base64": ..}, {"path": ..} or {"url": ..}.',
            )
        return part

    def located(self, part: str) -> str:
        """Return where a stored part's file lies now: a state folder that was restored moved.

        Args:
            part: As an item stores it: a path, also with a time range behind `#`.
        """
        path, mark, rest = part.partition("#")
        if Path(path).is_file():
            return part
        here = self._folder / _KEPT / Path(path).name
        moved = Path(path).parent.name == _KEPT and here.is_file()
        return f"{here}{mark}{rest}" if moved else part

    def asked(self, part: GivenFile, where: str) -> bytes | Path:
        """Return a part of a query.

        Raises:
            QueryError: It is not allowed.
            DecodeError: It cannot be read.
        """
        if part.path is not None:
            return self._allowed_path(part.path, where)
        return self._bytes(part, where)

    def _bytes(self, part: GivenFile, where: str) -> bytes:
        if part.url is not None:
            return self._fetched(part.url, where)
        try:
            return base64.b64decode(part.base64 or "", validate=True)
        except (binascii.Error, ValueError) as error:
            raise DecodeError(
                "this is not base64", where=where, hint="Encode the bytes."
            ) from error

    def _kept(self, content: bytes, where: str) -> Path:
        ending = _ending(content)
        if ending is None:
            raise DecodeError(
                "the bytes are no picture, sound or video of a known kind",
                where=where,
                hint="Give JPEG, PNG, WebP, MP4, WebM, WAV or the like.",
            )
        folder = self._folder / _KEPT
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(content).hexdigest()}.{ending}"
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}.{id(content)}.partial")
            draft.write_bytes(content)
            draft.replace(path)
        return path

    def _allowed_path(self, given: str, where: str) -> Path:
        try:
            path = Path(given).resolve()
        except (OSError, ValueError, RuntimeError):
            path = Path("/")
        for folder in self._section.files:
            root = folder.resolve()
            if path.is_relative_to(root) and path.is_file():
                return path
        raise QueryError(
            "the path is not in a folder that callers may name",
            where=where,
            hint="Send the bytes, or name its folder in `server.files`.",
        )

    def _fetched(self, url: str, where: str) -> bytes:
        if not any(_begins(url, allowed) for allowed in self._section.fetch):
            raise QueryError(
                "the URL is not one that may be fetched",
                where=where,
                hint="Send the bytes, or name its beginning in `server.fetch`.",
            )
        import httpx2

        content = bytearray()
        try:
            # A redirection could lead anywhere, so none is followed.
            with httpx2.stream("GET", url, timeout=_FETCH_S, follow_redirects=False) as answer:
                if answer.status_code != 200:
                    raise DecodeError(f"the URL answers {answer.status_code}", where=where)
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > self._most:
                        raise DecodeError(f"more than {self._most:,} bytes", where=where)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise DecodeError(f"the URL cannot be fetched ({error})", where=where) from error
        return bytes(content)


def _begins(url: str, allowed: str) -> bool:
    """Tell whether a URL begins as one that is allowed: same server, and a path below."""
    try:
        given, known = urlsplit(url), urlsplit(allowed)
        same = _server(given) == _server(known) and given.scheme in ("http", "https")
    except ValueError:
        return False
    path = unquote(given.path)
    if (
        not same
        or "@" in given.netloc
        or "\\" in url
        or posixpath.normpath(path or "/") != (path.rstrip("/") or "/")
    ):
        return False
    below = known.path or "/"
    return given.path == below or given.path.startswith(below.rstrip("/") + "/")


def _server(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port


def _ending(content: bytes) -> str | None:
    for offset, signature, ending in _KINDS:
        if content[offset : offset + len(signature)] == signature:
            return ending
    return None
