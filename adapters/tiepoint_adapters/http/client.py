"""A typed client of the service.

with TiepointClient("http://127.0.0.1:8080", key="tp_...") as client:
    client.add([{"id": "a", "parts": {"text": "a red bicycle"}}])
    for hit in client.search(text="bicycle").hits:
        print(hit.id, hit.score)
"""

from __future__ import annotations

import base64
import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel

from tiepoint.errors import InputError, TiepointError
from tiepoint_adapters.http.schemas import Added, ItemPage, JobAnswer, SearchAnswer, StoredItem

_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_LONGEST_WAIT_S = 30.0

File = bytes | Path
"""A file: its bytes, or the path of one here, whose bytes are sent."""

_Model = TypeVar("_Model", bound=BaseModel)


class ServiceError(TiepointError):
    """The service refused a request, failed at it, or cannot be reached.

    Attributes:
        status: The answer's status; None where there was no answer.
    """

    def __init__(
        self, what: str, status: int | None, *, where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


class TiepointClient:
    """Calls a service; it may be used from several threads.

    What can be sent twice without harm is sent again where the service is busy, after the time
    that it names, and where the connection breaks.

    Args:
        url: Where the service is, such as `http://127.0.0.1:8080`.
        key: A key of `tiepoint keys create`, or a token; `TIEPOINT_KEY` if not given.
        timeout_s: How long an answer may take, in seconds.
        tries: How often a request is sent at most.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout_s: float = 60.0, tries: int = 5
    ) -> None:
        key = key or os.environ.get("TIEPOINT_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout_s, follow_redirects=False
        )
        self._tries = tries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ready(self) -> bool:
        """Tell whether the service takes requests."""
        try:
            return self._http.get("/ready").status_code == HTTPStatus.OK
        except httpx2.HTTPError:
            return False

    def health(self) -> dict[str, Any]:
        """Return the state of the service's parts."""
        return dict(self._call("GET", "/v1/health").json())

    def search(
        self,
        *,
        text: str | None = None,
        image: File | None = None,
        audio: File | None = None,
        video: File | None = None,
        vector: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
        where: str | None = None,
        k: int = 10,
        collection: str | None = None,
        explain: bool = False,
        **options: Any,
    ) -> SearchAnswer:
        """Return the best items for a query of one or more parts; see `Host.search`.

        Args:
            text: Words to match.
            image: A picture.
            audio: A sound.
            video: A video.
            vector: A vector of the joint space, or vectors by field.
            where: A filter on metadata.
            k: How many hits.
            collection: May be left out where there is one.
            explain: Whether hits say in words what made their score.
            options: What else the service's `POST /v1/search` takes: `negative`, `like`,
                `unlike`, `exclude`, `session`, `weights`, `boosts`, `minimum`, `group_by`,
                `group_size`, `offset`, `after`, `diversity`.

        Raises:
            ServiceError: The service refused it, or cannot be reached.
        """
        files = {"image": image, "audio": audio, "video": video}
        given = {
            "text": text,
            "vector": vector,
            "where": where,
            "collection": collection,
            "explain": explain or None,
            **{name: _sent(file) for name, file in files.items() if file is not None},
            **options,
        }
        body = {"k": k, **{name: value for name, value in given.items() if value is not None}}
        return _read(SearchAnswer, self._call("POST", "/v1/search", body))

    def add(
        self,
        items: Iterable[Mapping[str, Any]],
        *,
        collection: str = "items",
        skip: bool = False,
        key: str | None = None,
    ) -> Added:
        """Store items; they are durable when this returns.

        Args:
            items: Each with `id`, `parts` and `metadata`; a part may be a text, a vector, bytes,
                or a path, whose bytes are sent.
            collection: Which collection takes them.
            skip: Whether items that cannot be used are left out.
            key: A text by which the request is known when it is sent again; one is made up if
                not given.

        Raises:
            ServiceError: The service refused it, or cannot be reached.
        """
        sent = [
            {**item, "parts": {name: _sent(part) for name, part in item["parts"].items()}}
            for item in items
        ]
        headers = {"Idempotency-Key": key or os.urandom(16).hex()}
        path = f"/v1/collections/{quote(collection, safe='')}/items"
        return _read(Added, self._call("POST", path, {"items": sent, "skip": skip}, headers))

    def items(
        self, *, collection: str = "items", where: str | None = None, page: int = 100
    ) -> Iterator[StoredItem]:
        """Yield all items in the order of their ids, page by page.

        Raises:
            ServiceError: The service refused it, or cannot be reached.
        """
        path, after = f"/v1/collections/{quote(collection, safe='')}/items", None
        while True:
            asked = {"limit": page, "after": after, "where": where}
            query = {name: value for name, value in asked.items() if value is not None}
            found = _read(ItemPage, self._call("GET", path, query=query))
            yield from found.items
            after = found.next
            if after is None:
                return

    def item(self, id: str, *, collection: str = "items") -> StoredItem:
        """Return an item.

        Raises:
            ServiceError: There is none of this id (404), or the service cannot be reached.
        """
        return _read(StoredItem, self._call("GET", _item_path(collection, id)))

    def delete(self, id: str, *, collection: str = "items") -> bool:
        """Delete an item; tells whether there was one.

        Raises:
            ServiceError: The service refused it, or cannot be reached.
        """
        return bool(self._call("DELETE", _item_path(collection, id)).json()["deleted"])

    def start_job(self, kind: str, parameters: Mapping[str, Any] | None = None) -> JobAnswer:
        """Start long work.

        Raises:
            ServiceError: The service refused it, or cannot be reached.
        """
        body = {"kind": kind, "parameters": dict(parameters or {})}
        headers = {"Idempotency-Key": os.urandom(16).hex()}
        return _read(JobAnswer, self._call("POST", "/v1/jobs", body, headers))

    def job(self, id: str) -> JobAnswer:
        """Return a job with its progress.

        Raises:
            ServiceError: There is none of this id (404), or the service cannot be reached.
        """
        return _read(JobAnswer, self._call("GET", f"/v1/jobs/{quote(id, safe='')}"))

    def wait(self, id: str, timeout_s: float = 3600.0) -> JobAnswer:
        """Wait until a job has ended, and return it.

        Raises:
            ServiceError: It has not within this time, or the service cannot be reached.
        """
        until, pause = time.monotonic() + timeout_s, 0.05
        while True:
            job = self.job(id)
            if job.ended is not None:
                return job
            if time.monotonic() > until:
                raise ServiceError(f"the job has not ended within {timeout_s:g} s", None, where=id)
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call any route, such as a plugin's, and return its JSON.

        Raises:
            ServiceError: The service refused it, or cannot be reached.
        """
        return self._call(method, path, body).json()

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> httpx2.Response:
        repeatable = method in ("GET", "DELETE") or path == "/v1/search" or bool(headers)
        for left in reversed(range(self._tries)):
            again = left > 0
            try:
                response = self._http.request(
                    method, path, json=body, headers=headers, params=query
                )
            except httpx2.HTTPError as error:
                if again and repeatable:
                    time.sleep(random.uniform(0.1, 1.0))  # noqa: S311 - spreads callers
                    continue
                raise ServiceError(
                    f"the service cannot be reached ({error})",
                    None,
                    where=str(self._http.base_url),
                    hint="Check the address, and that it runs.",
                ) from error
            if response.is_success:
                return response
            if again and response.status_code in _AGAIN and repeatable:
                time.sleep(_wait(response))
                continue
            raise _refusal(response)
        raise InputError("a request is sent at least once", where="tries")


def _item_path(collection: str, id: str) -> str:
    return f"/v1/collections/{quote(collection, safe='')}/items/{quote(id, safe='')}"


def _sent(part: Any) -> Any:
    if isinstance(part, Path):
        part = part.read_bytes()
    if isinstance(part, bytes):
        return {"base64": base64.b64encode(part).decode()}
    return list(part) if not isinstance(part, str | Mapping) else part


def _read(model: type[_Model], response: httpx2.Response) -> _Model:
    return model.model_validate_json(response.content)


def _wait(response: httpx2.Response) -> float:
    try:
        told = float(response.headers.get("retry-after", "1"))
    except ValueError:
        told = 1.0
    return min(_LONGEST_WAIT_S, told) * random.uniform(1.0, 1.2)  # noqa: S311 - spreads callers


def _refusal(response: httpx2.Response) -> ServiceError:
    try:
        told = dict(response.json())
    except ValueError:
        told = {}
    what = told.get("detail") or f"the service answers {response.status_code}"
    return ServiceError(
        str(what), response.status_code, where=told.get("where"), hint=told.get("hint")
    )
