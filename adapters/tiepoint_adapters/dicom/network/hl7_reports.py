"""Reports as HL7 v2 messages (ORU^R01) over MLLP, linked to studies by their accession number."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import hl7

from tiepoint.errors import DecodeError, InputError
from tiepoint_adapters.dicom.network.inbox import REPORT_SUFFIX, Inbox

START, END = b"\x0b", b"\x1c\x0d"
MAX_MESSAGE_BYTES = 4 * 2**20
IDLE_S = 300.0
_IDENTIFYING: dict[str, frozenset[int]] = {
    **dict.fromkeys(("PID", "PV1", "NK1", "IN1", "GT1"), frozenset()),
    "OBR": frozenset((4, 13, 31, 44)),
    "ORC": frozenset((16,)),
}
"""Segments that name people, with the fields that say what was examined and why: words of these
stand in every report."""
_TEXTS = frozenset(("TX", "FT", "ST", ""))
_CHARSETS = {
    "UNICODE UTF-8": "utf-8",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/15": "iso8859-15",
    "GB 18030-2000": "gb18030",
    "ASCII": "utf-8",
    "": "utf-8",
}


@dataclass(frozen=True, slots=True)
class ReportMessage:
    """What an ORU^R01 says.

    Attributes:
        control_id: MSH-10.
        patient_id: PID-3.1.
        accession: OBR-18, else the filler's order number OBR-3.1.
        status: OBR-25: `F` final, `P` preliminary, `C` corrected.
        issued: OBR-22, else MSH-7, as `YYYYMMDDhhmmss` or a beginning of it.
        text: The lines of all OBX of a text type, in order.
        identifiers: What the segments of the patient, the visit and the order hold, names and
            numbers among it, one entry a component.
    """

    control_id: str
    patient_id: str
    accession: str
    status: str
    issued: str
    text: str
    identifiers: tuple[str, ...] = field(default=(), repr=False)


def parse_report(content: bytes) -> ReportMessage:
    """Return what an ORU^R01 message says.

    Args:
        content: The message without MLLP's frame; its character set is that of MSH-18.

    Raises:
        DecodeError: It is no HL7 v2 message, another type, or without report or accession.
    """
    try:
        message = hl7.parse(_decoded(content))
        kind = f"{_field(message, 'MSH', 9, 1)}^{_field(message, 'MSH', 9, 2)}"
        if kind != "ORU^R01":
            raise DecodeError(f"the message is {kind[:20]}, not ORU^R01")
        accession = _field(message, "OBR", 18) or _field(message, "OBR", 3, 1)
        text = "\n".join(_lines(message))
        control, patient = _field(message, "MSH", 10), _field(message, "PID", 3, 1)
        status = _field(message, "OBR", 25)
        issued = _field(message, "OBR", 22) or _field(message, "MSH", 7)
        identifiers = tuple(_identifiers(message))
    except (hl7.HL7Exception, ValueError, KeyError, IndexError, LookupError) as error:
        raise DecodeError("the content is no HL7 v2 message") from error
    if not accession:
        raise DecodeError("the message has no accession number (OBR-18, OBR-3)")
    if not text.strip():
        raise DecodeError("the message holds no report (OBX-5)")
    return ReportMessage(control, patient, accession, status, issued, text, identifiers)


def _decoded(content: bytes) -> str:
    header = content.split(b"\r", 1)[0].decode("latin-1")
    fields = header.split(header[3]) if header.startswith("MSH") and len(header) > 8 else []
    named = fields[17].split("~")[0].strip() if len(fields) > 17 else ""
    codec = _CHARSETS.get(named.upper())
    if codec is None:
        raise DecodeError("the message is in an unknown character set (MSH-18)")
    return content.decode(codec).replace("\r\n", "\r").replace("\n", "\r").strip("\r")


def _lines(message: Any) -> list[str]:
    lines: list[str] = []
    for segment in message:
        if str(segment[0]) == "OBX" and len(segment) > 5 and str(segment[2]) in _TEXTS:
            # Repetitions are lines, and so are the escapes of line breaks.
            for part in str(segment[5]).split("~"):
                lines += message.unescape(part).replace("\\.br\\", "\n").splitlines() or [""]
    return lines


def _identifiers(message: Any) -> Iterator[str]:
    # Dates and codes of tables do no harm here; a name that is missed does.
    for segment in message:
        clinical = _IDENTIFYING.get(str(segment[0]))
        if clinical is None:
            continue
        for number, one in enumerate(segment):
            if number and number not in clinical:
                yield from (part for part in re.split(r"[~&]", str(one).replace("^", "~")) if part)


def _field(message: Any, segment: str, number: int, component: int | None = None) -> str:
    """Return a field of the first segment of a name; empty where there is none."""
    for one in message:
        if str(one[0]) == segment:
            value = str(one[number]) if len(one) > number else ""
            parts = value.split("~")[0].split("^")
            if component is not None:
                value = parts[component - 1] if len(parts) >= component else ""
            return value.strip()
    return ""


class ReportListener:
    """Listens for reports by MLLP and keeps them in an inbox; used by `with`.

    A message is acknowledged with AA only when it is safely on the disk; one that cannot be
    understood is answered with AE, one that cannot be kept with AR.

    Args:
        inbox: Takes the messages.
        host: The address; only this machine's programs reach the default.
        port: 0 for any that is free.
        accepted: Called with the path of each message.

    Raises:
        InputError: The address cannot be listened on.
    """

    def __init__(
        self,
        inbox: Inbox,
        host: str = "127.0.0.1",
        port: int = 2575,
        accepted: Callable[[Path], None] | None = None,
    ) -> None:
        self.inbox = inbox
        self.accepted = accepted
        try:
            self._server = _Server((host, port), _Connection)
        except OSError as error:
            raise InputError(
                f"the address cannot be listened on: {error.strerror}", where=f"{host}:{port}"
            ) from error
        self._server.listener = self
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True, name="mllp").start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, content: bytes) -> bytes:
        """Keep a message and return the acknowledgement."""
        try:
            report = parse_report(content)
        except DecodeError as error:
            return _acknowledgement(content, "AE", error.what)
        try:
            key = f"hl7 {report.accession} {report.control_id}"
            path = self.inbox.accept(key, content, REPORT_SUFFIX)
        except OSError:
            return _acknowledgement(content, "AR", "the message cannot be kept")
        if self.accepted is not None:
            self.accepted(path)
        return _acknowledgement(content, "AA", "")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    listener: ReportListener


class _Connection(socketserver.StreamRequestHandler):
    timeout = IDLE_S

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - nobody else makes one
        waiting = b""
        while True:
            try:
                received = self.request.recv(65536)
            except OSError:
                return
            if not received:
                return
            waiting += received
            while END in waiting:
                message, _, waiting = waiting.partition(END)
                _, started, content = message.rpartition(START)
                if started:
                    self.wfile.write(START + server.listener.answer(content) + END)
            if len(waiting) > MAX_MESSAGE_BYTES:
                return  # without an end: whoever sends it is no HL7 system


def _acknowledgement(content: bytes, code: str, reason: str) -> bytes:
    header = content.split(b"\r", 1)[0].decode("latin-1", "replace")
    separator = header[3] if header.startswith("MSH") and len(header) > 8 else "|"
    fields = header.split(separator)
    control = fields[9] if len(fields) > 9 else ""
    lines = [
        separator.join(
            ("MSH", "^~\\&", "TIEPOINT", "", "", "", "", "", "ACK", control, "P", "2.5")
        ),
        separator.join(("MSA", code, control, reason)),
    ]
    return ("\r".join(lines) + "\r").encode("utf-8")
