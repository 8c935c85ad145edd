"""An archive by its address: a DICOMweb server, or a node that speaks DIMSE."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pydicom import Dataset

from tiepoint.errors import InputError
from tiepoint_adapters.dicom.network.inbox import Inbox
from tiepoint_adapters.dicom.reading import DicomObject

PASSWORD = "TIEPOINT_ARCHIVE_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable of the password, which has no place in a command line."""

TOKEN = "TIEPOINT_ARCHIVE_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable of a bearer token."""


class Archive(Protocol):
    """What can be asked for studies, and takes results: `WebArchive` and `Peer`."""

    def find_studies(self, **filters: str) -> list[Dataset]:
        """Return studies that match, by keyword."""
        ...

    def fetch_study(self, study: str, inbox: Inbox) -> int:
        """Fetch a study into an inbox; returns how many objects."""
        ...

    def store(self, objects: Iterable[DicomObject]) -> int:
        """Send objects; returns how many it has stored."""
        ...


def archive_at(address: str, own_title: str = "TIEPOINT") -> Archive:
    """Return the archive at an address.

    Args:
        address: `https://[user@]host/dicom-web`, whose password or token is in the environment
            (`TIEPOINT_ARCHIVE_PASSWORD`, `TIEPOINT_ARCHIVE_TOKEN`), or `dicom://TITLE@host:port`.
        own_title: What this node calls itself over DIMSE.

    Raises:
        InputError: It is neither.
    """
    from tiepoint_adapters.dicom.network.peer import Peer
    from tiepoint_adapters.dicom.network.web import WebArchive

    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if host and parts.password is None:
        named = f"[{host}]" if ":" in host else host
        if parts.scheme == "dicom" and parts.username and port:
            return Peer(host, port, unquote(parts.username), own_title)
        if parts.scheme in ("http", "https"):
            user = unquote(parts.username) if parts.username else None
            token = os.environ.get(TOKEN)
            headers = {"Authorization": f"Bearer {token}"} if token else None
            root = f"{parts.scheme}://{named}{f':{port}' if port else ''}{parts.path}"
            return WebArchive(root, user, os.environ.get(PASSWORD), headers)
    raise InputError(
        "the address names no archive",
        where=address if host is None or parts.password is None else parts.hostname,
        hint=f"Write https://host/dicom-web (a password goes into {PASSWORD})"
        " or dicom://TITLE@host:port.",
    )
