"""Where `tiepoint index` writes: a host in this process, or the process that holds the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tiepoint.errors import StoreOwnedError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint.ingest import Target


@contextmanager
def indexing_target(deployment: Deployment) -> Iterator[Target]:
    """Open a deployment for indexing.

    Raises:
        StoreOwnedError: Another process holds the store, and takes no calls.
        FingerprintError: The stored vectors come from other encoders.
    """
    from tiepoint.host import Host
    from tiepoint.owner import OwnerGoneError
    from tiepoint.owner.remote_host import RemoteHost

    host = Host(deployment)
    try:
        host.open()
    except StoreOwnedError as owned:
        with RemoteHost(deployment) as remote:
            try:
                remote.check()
            except OwnerGoneError:
                raise owned from None
            yield remote
        return
    with host:
        yield host
