"""A DICOMweb archive: QIDO-RS, WADO-RS and STOW-RS (PS3.18)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset
from requests.auth import AuthBase, HTTPBasicAuth

from tiepoint.errors import StoreError
from tiepoint_adapters.dicom.network.inbox import Inbox
from tiepoint_adapters.dicom.reading import DicomObject

TIMEOUT_S = 60.0


class ArchiveError(StoreError):
    """A DICOMweb archive that cannot be reached, or that refuses what it is asked."""


class WebArchive:
    """An archive that speaks DICOMweb.

    Args:
        url: The root, such as `https://pacs/dicom-web`.
        user: For HTTP basic authentication, with `password`.
        password: See `user`.
        headers: Further headers, such as `Authorization`.
    """

    def __init__(
        self,
        url: str,
        user: str | None = None,
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        session = requests.Session()
        auth: AuthBase | None = HTTPBasicAuth(user, password or "") if user else None
        session.auth = auth
        session.headers.update(headers or {})
        session.request = _with_timeout(session.request)  # type: ignore[method-assign]
        self._client = DICOMwebClient(self.url, session=session)

    def find_studies(self, **filters: str) -> list[Dataset]:
        """Return studies that match, by QIDO-RS.

        Args:
            filters: Values by keyword, such as `PatientID="7"`.

        Raises:
            ArchiveError: The archive cannot be asked.
        """
        found = self._ask(lambda: self._client.search_for_studies(search_filters=filters or None))
        return [Dataset.from_json(study) for study in found]

    def fetch_study(self, study: str, inbox: Inbox) -> int:
        """Fetch a study into an inbox, by WADO-RS; returns how many objects.

        Args:
            study: Study Instance UID.
            inbox: Takes the objects.

        Raises:
            ArchiveError: The archive cannot be asked.
        """
        fetched = self._ask(lambda: self._client.retrieve_study(study))
        for dataset in fetched:
            stream = io.BytesIO()
            dataset.save_as(stream, enforce_file_format=True)
            inbox.accept_object(str(dataset.SOPInstanceUID), stream.getvalue())
        return len(fetched)

    def store(self, objects: Iterable[DicomObject | Dataset]) -> int:
        """Send objects, by STOW-RS; returns how many the archive says it has stored.

        Raises:
            ArchiveError: The archive cannot be reached, or refuses one of them.
        """
        datasets = [one.dataset if isinstance(one, DicomObject) else one for one in objects]
        answer = self._ask(lambda: self._client.store_instances(datasets))
        failed = answer.get("FailedSOPSequence") or []
        if failed:
            raise ArchiveError(f"{len(failed)} objects were refused", where=self.url)
        return len(answer.get("ReferencedSOPSequence") or [])

    def _ask(self, request: Any) -> Any:
        try:
            return request()
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else "no status"
            raise ArchiveError(f"the archive answered with {status}", where=self.url) from error
        except (requests.RequestException, OSError) as error:
            raise ArchiveError(
                f"the archive cannot be reached ({type(error).__name__})", where=self.url
            ) from error


def _with_timeout(request: Any) -> Any:
    def limited(*words: Any, **options: Any) -> Any:
        return request(*words, **{"timeout": TIMEOUT_S, **options})

    return limited
