"""Another DICOM node, asked: C-ECHO, C-FIND, C-MOVE, C-GET and C-STORE as a service user."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    DEFAULT_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    build_role,
    evt,
)
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from tiepoint.errors import StoreError
from tiepoint_adapters.dicom.network.inbox import Inbox
from tiepoint_adapters.dicom.network.listener import SUCCESS
from tiepoint_adapters.dicom.reading import DicomObject

_PENDING = (0xFF00, 0xFF01)
_MOST_CONTEXTS = 128
TIMEOUT_S = 30.0


class PeerError(StoreError):
    """Another DICOM node that cannot be reached, or that refuses what it is asked."""


class Peer:
    """A DICOM node such as a PACS.

    Args:
        host: Its address.
        port: Its port.
        ae_title: What it is called.
        own_title: What this node calls itself.
    """

    def __init__(self, host: str, port: int, ae_title: str, own_title: str = "TIEPOINT") -> None:
        self.host, self.port, self.ae_title = host, port, ae_title
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        self._entity = AE(ae_title=own_title)
        self._entity.network_timeout = self._entity.dimse_timeout = TIMEOUT_S
        self._entity.acse_timeout = self._entity.connection_timeout = TIMEOUT_S

    @property
    def where(self) -> str:
        """The node's name and address, for messages."""
        return f"{self.ae_title} at {self.host}:{self.port}"

    def echo(self) -> None:
        """Ask whether it is there (C-ECHO).

        Raises:
            PeerError: It is not, or does not answer.
        """
        with self._associated({Verification: DEFAULT_TRANSFER_SYNTAXES}) as association:
            self._check(association.send_c_echo(), "the echo")

    def find(self, keys: Mapping[str, str], level: str = "STUDY") -> list[Dataset]:
        """Return what matches keys (C-FIND, Study Root).

        Args:
            keys: Values by keyword; an empty one asks for the attribute.
            level: `STUDY`, `SERIES` or `IMAGE`.

        Raises:
            PeerError: It cannot be asked, or refuses.
        """
        model = StudyRootQueryRetrieveInformationModelFind
        query = _query(keys, level)
        found: list[Dataset] = []
        with self._associated({model: DEFAULT_TRANSFER_SYNTAXES}) as association:
            for status, answer in association.send_c_find(query, model):
                if status and status.Status in _PENDING:
                    found.append(answer)
                else:
                    self._check(status, "the search")
        return found

    def find_studies(self, **filters: str) -> list[Dataset]:
        """Return studies that match (C-FIND), with their UIDs; see `find`."""
        return self.find({"StudyInstanceUID": "", **filters})

    def fetch_study(self, study: str, inbox: Inbox) -> int:
        """Fetch a study into an inbox (C-GET); see `get`."""
        return self.get({"StudyInstanceUID": study}, inbox)

    def move(self, keys: Mapping[str, str], destination: str, level: str = "STUDY") -> int:
        """Have it send what matches to a node that it knows (C-MOVE); returns how many.

        Args:
            keys: Unique keys, such as `StudyInstanceUID`.
            destination: The AE title that shall receive.
            level: Of the keys.

        Raises:
            PeerError: It cannot be asked, refuses, or failed for some of the objects.
        """
        model = StudyRootQueryRetrieveInformationModelMove
        with self._associated({model: DEFAULT_TRANSFER_SYNTAXES}) as association:
            return self._done(association.send_c_move(_query(keys, level), destination, model))

    def get(self, keys: Mapping[str, str], inbox: Inbox, level: str = "STUDY") -> int:
        """Fetch what matches into an inbox (C-GET); returns how many objects.

        Args:
            keys: Unique keys, such as `StudyInstanceUID`.
            inbox: Takes the objects; each is acknowledged only when it is safe.
            level: Of the keys.

        Raises:
            PeerError: It cannot be asked, refuses, or failed for some of the objects.
        """
        model = StudyRootQueryRetrieveInformationModelGet

        def store(event: Any) -> int:
            try:
                uid = str(event.request.AffectedSOPInstanceUID)
                inbox.accept_object(uid, event.encoded_dataset())
            except OSError:
                return 0xA700
            return SUCCESS

        classes = [c.abstract_syntax for c in AllStoragePresentationContexts][: _MOST_CONTEXTS - 1]
        contexts = {model: DEFAULT_TRANSFER_SYNTAXES} | dict.fromkeys(
            classes, ALL_TRANSFER_SYNTAXES
        )
        roles = [build_role(one, scp_role=True) for one in classes]
        handlers = [(evt.EVT_C_STORE, store)]
        with self._associated(contexts, ext_neg=roles, evt_handlers=handlers) as association:
            return self._done(association.send_c_get(_query(keys, level), model))

    def store(self, objects: Iterable[DicomObject]) -> int:
        """Send objects (C-STORE), each in the transfer syntax that it has; returns how many.

        Raises:
            PeerError: It cannot be reached, or refuses one of them.
        """
        given = list(objects)
        contexts: dict[Any, list[Any]] = {}
        for one in given:
            syntaxes = contexts.setdefault(UID(str(one.dataset.SOPClassUID)), [])
            if one.transfer_syntax not in syntaxes:
                syntaxes.append(one.transfer_syntax)
        sent = 0
        with self._associated(contexts) as association:
            for one in given:
                try:
                    status = association.send_c_store(one.dataset)
                except (ValueError, RuntimeError, AttributeError) as error:
                    raise PeerError(
                        f"it does not take an object of {one.class_name}", where=self.where
                    ) from error
                self._check(status, "an object")
                sent += 1
        return sent

    @contextmanager
    def _associated(self, contexts: Mapping[Any, Any], **options: Any) -> Iterator[Any]:
        entity = self._entity
        entity.requested_contexts = []
        for abstract, syntaxes in contexts.items():
            entity.add_requested_context(abstract, list(syntaxes))
        association = entity.associate(self.host, self.port, ae_title=self.ae_title, **options)
        if not association.is_established:
            refused = association.is_rejected
            raise PeerError(
                "the node refuses the association" if refused else "the node cannot be reached",
                where=self.where,
                hint="Check its address, its AE title, and whether it knows ours.",
            )
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    def _done(self, answers: Iterable[tuple[Any, Any]]) -> int:
        """Follow a C-MOVE or C-GET to its end; returns how many objects were sent."""
        completed = 0
        for status, _ in answers:
            if status and "NumberOfCompletedSuboperations" in status:
                completed = int(status.NumberOfCompletedSuboperations)
            if not status or status.Status not in _PENDING:
                self._check(status, "the retrieval")
        return completed

    def _check(self, status: Any, what: str) -> None:
        if not status:
            raise PeerError(f"{what} was not answered", where=self.where)
        if status.Status != SUCCESS:
            raise PeerError(f"{what} was refused (0x{status.Status:04X})", where=self.where)


def _query(keys: Mapping[str, str], level: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query
