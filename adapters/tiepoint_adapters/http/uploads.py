"""Forms of files, such as a DICOM study: larger than other requests, and never held in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import IO, Any

from fastapi import Request, Response, UploadFile
from fastapi.routing import APIRoute

from tiepoint.config.service import LimitsSection
from tiepoint_adapters.http.limits import FILES
from tiepoint_adapters.http.problems import TooLargeError

_MOST_FILES = 5000
_MOST_FIELDS = 32


class FilesRoute(APIRoute):
    """A route that takes files: a form that is sent to it may have `limits.files_mib`.

    The files of a form are written to the disk as they come.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handling(request: Request) -> Response:
            told = request.headers.get("content-type", "").lower()
            if self.body_field is not None and told.startswith("multipart/form-data"):
                if FILES in request.scope:
                    request.scope[FILES]()
                await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS)
            return await handle(request)

        return handling


def opened(files: Sequence[UploadFile], limits: LimitsSection) -> list[IO[bytes]]:
    """Return files to read from, from their beginning.

    Args:
        files: Of a form.
        limits: Of the deployment.

    Raises:
        TooLargeError: One has more than `body_mib`.
    """
    if any((one.size or 0) > limits.body_mib * (1 << 20) for one in files):
        raise TooLargeError(
            f"a file has more than {limits.body_mib:g} MiB", hint="Raise server.limits.body_mib."
        )
    return [one.file for one in files]
