"""Load over HTTP from one process: connections that each send a request after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Load:
    """What came of it.

    Attributes:
        seconds: The time from a request to the end of its answer, of each that succeeded.
        errors: How many did not.
        lasted: How long it took altogether, in seconds.
    """

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    lasted: float = 0.0


def load(host: str, port: int, bodies: Iterator[bytes], clients: int, lasting: float) -> Load:
    """Send requests, as many at a time as there are clients.

    Args:
        host: Where the service is.
        port: Its port.
        bodies: The requests, as `request` makes them; shared by the clients.
        clients: How many connections.
        lasting: For how many seconds.
    """
    return asyncio.run(_load(host, port, bodies, clients, lasting))


def request(path: str, content: bytes) -> bytes:
    """Return a POST request for JSON, as it is sent."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def _load(
    host: str, port: int, bodies: Iterator[bytes], clients: int, lasting: float
) -> Load:
    result = Load()
    started = time.perf_counter()
    until = started + lasting
    await asyncio.gather(*(_client(host, port, bodies, until, result) for _ in range(clients)))
    result.lasted = time.perf_counter() - started
    return result


async def _client(
    host: str, port: int, bodies: Iterator[bytes], until: float, result: Load
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(next(bodies))
            if await _answered(reader):
                result.seconds.append(time.perf_counter() - began)
            else:
                result.errors += 1
    finally:
        writer.close()


async def _answered(reader: asyncio.StreamReader) -> bool:
    """Read one answer; tells whether it is 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, after = head.lower().partition(b"content-length:")
    await reader.readexactly(int(after.partition(b"\r\n")[0]))
    return head.startswith(b"HTTP/1.1 200")
