"""A DICOM node that takes objects in: C-STORE and C-ECHO as a service provider."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Self, cast

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from tiepoint.errors import InputError
from tiepoint_adapters.dicom.network.inbox import Inbox

logger = logging.getLogger(__name__)

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
CANNOT_UNDERSTAND = 0xC000

MAX_OBJECT_BYTES = 2**31
IDLE_S = 60.0
"""An association on which nothing happens for so long is closed."""


class DicomListener:
    """Listens for objects and keeps them in an inbox; used by `with`.

    An object is acknowledged only when it is safely on the disk (`Inbox.accept`). All storage
    classes and transfer syntaxes that pynetdicom knows are accepted, as they are: nothing is
    decoded here.

    Args:
        inbox: Takes the objects.
        host: The address; only this machine's programs reach the default.
        port: 0 for any that is free.
        ae_title: What callers must call this node.
        callers: AE titles that may call; anyone if empty.
        most: How many associations at once.
        tls: The context of a server with certificates, for DICOM over TLS.
        accepted: Called with the path of each object.

    Raises:
        InputError: The address cannot be listened on.
    """

    def __init__(
        self,
        inbox: Inbox,
        host: str = "127.0.0.1",
        port: int = 11112,
        ae_title: str = "TIEPOINT",
        *,
        callers: Collection[str] = (),
        most: int = 10,
        tls: ssl.SSLContext | None = None,
        accepted: Callable[[Path], None] | None = None,
    ) -> None:
        self.inbox = inbox
        self._accepted = accepted
        self._lock = threading.Lock()
        self.received = 0
        self.refused = 0
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # it logs what it is sent
        entity = AE(ae_title=ae_title)
        entity.maximum_associations = most
        entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = IDLE_S
        entity.require_called_aet = True
        if callers:
            entity.require_calling_aet = list(callers)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
        entity.add_supported_context(Verification)
        try:
            handlers: list[Any] = [(evt.EVT_C_STORE, self._store)]
            server = entity.start_server(
                (host, port), block=False, ssl_context=tls, evt_handlers=handlers
            )
        except OSError as error:
            raise InputError(
                f"the address cannot be listened on: {error.strerror}", where=f"{host}:{port}"
            ) from error
        self._server = cast(Any, server)
        self.port: int = self._server.socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; associations that are open are aborted."""
        self._server.shutdown()

    def _store(self, event: Any) -> int:
        """Answer a C-STORE request with a status (PS3.4 B.2.3)."""
        uid = str(event.request.AffectedSOPInstanceUID or "")
        try:
            content = event.encoded_dataset()
        except (AttributeError, ValueError, TypeError):
            return self._refuse(CANNOT_UNDERSTAND, "it cannot be encoded")
        if not uid or len(content) > MAX_OBJECT_BYTES:
            return self._refuse(CANNOT_UNDERSTAND, "it has no UID or is too large")
        try:
            path = self.inbox.accept_object(uid, content)
        except OSError as error:
            return self._refuse(OUT_OF_RESOURCES, f"it cannot be kept: {error.strerror}")
        with self._lock:
            self.received += 1
        if self._accepted is not None:
            self._accepted(path)
        return SUCCESS

    def _refuse(self, status: int, reason: str) -> int:
        with self._lock:
            self.refused += 1
        logger.error("an object was refused: %s", reason)
        return status
