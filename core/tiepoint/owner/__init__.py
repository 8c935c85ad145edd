"""Reaching the process that holds an embedded store, over its local authenticated socket."""

from tiepoint.owner.client import OwnerClient, OwnerGoneError
from tiepoint.owner.server import OwnerServer

__all__ = ["OwnerClient", "OwnerGoneError", "OwnerServer"]
