"""A WSGI application, such as Flask's or an older Django's, with the service as a sidecar.

    tiepoint serve tiepoint-serve/deployment.yaml
    TIEPOINT_URL=http://127.0.0.1:8080 python examples/host_app/wsgi_app.py

A WSGI server has no lifespan, and often several processes: the service is a process of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from tiepoint.errors import TiepointError
from tiepoint_adapters.http.client import TiepointClient

# Its key, where the service asks for one, is in TIEPOINT_KEY.
service = TiepointClient(os.environ.get("TIEPOINT_URL", "http://127.0.0.1:8080"), tries=2)


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer `/?question=...` with what the service finds."""
    asked = parse_qs(environ.get("QUERY_STRING", "")).get("question", ["a cat"])[0]
    collection = os.environ.get("TIEPOINT_COLLECTION", "items")
    try:
        answer = service.search(text=asked, k=5, collection=collection)
        status, told = "200 OK", {"found": [hit.id for hit in answer.hits]}
    except TiepointError as error:  # the service is down, or refuses the question
        status, told = "502 Bad Gateway", {"error": str(error)}
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


if __name__ == "__main__":
    with make_server("127.0.0.1", 8000, application) as server:
        print(f"http://127.0.0.1:{server.server_port}/?question=a+cat")
        server.serve_forever()
