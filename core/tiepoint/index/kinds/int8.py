"""Inverted lists of 8-bit copies in memory, and the vectors themselves on disk."""

from __future__ import annotations

from tiepoint.index.kinds.ivf import IvfProposer


class Int8Proposer(IvfProposer):
    """As `ivf`, but what rescores its proposals is read from disk."""

    kind = "int8"
    on_disk = True
