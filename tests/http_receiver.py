"""A receiver of webhooks on loopback: it keeps what it took, and fails when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.http_server import QuietHandler, served_by


@dataclass
class Request:
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.content)

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


@dataclass
class Receiver:
    url: str
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    attempts: int = 0
    taken: list[Request] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def await_taken(self, count: int, timeout_s: float = 15.0) -> list[Request]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.taken) >= count, timeout_s), (
                f"{len(self.taken)} of {count} came"
            )
            return list(self.taken)

    @property
    def keys(self) -> list[str]:
        return [request.key for request in self.taken]


@contextmanager
def http_receiver(port: int = 0) -> Iterator[Receiver]:
    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            with receiver.arrived:
                receiver.attempts += 1
                status = receiver.status
                if 200 <= status < 300:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    receiver.taken.append(Request(headers, content))
                receiver.arrived.notify_all()
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

    receiver = Receiver("")
    with served_by(Handler, port) as address:
        receiver.url = f"{address}/alerts"
        yield receiver
