"""Which kind of index a field gets, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tiepoint.config.collections import IndexKind, IndexSection
from tiepoint.index.kinds.base import Proposer
from tiepoint.index.kinds.binary import BinaryProposer
from tiepoint.index.kinds.hnsw import HnswProposer
from tiepoint.index.kinds.int8 import Int8Proposer
from tiepoint.index.kinds.ivf import IvfProposer
from tiepoint.index.kinds.lsh import LshProposer

PROPOSERS: dict[IndexKind, type[Proposer]] = {
    kind.kind: kind
    for kind in (HnswProposer, IvfProposer, LshProposer, Int8Proposer, BinaryProposer)
}

EXACT_BELOW = 2048
"""Fewer vectors than this are searched exactly.

Measured with 256 dimensions, a graph is the faster one from about 1,000 vectors; up to 2,048
the exact search still takes less than 0.1 ms, and has no recall to lose.
"""

_BOOKKEEPING = 12  # bytes a vector: its row, its position, its place in the index
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of index, and why it is the one."""

    kind: IndexKind
    why: str


def choose(options: IndexSection, count: int, dim: int) -> Choice:
    """Choose a kind by what is asked for, and for `auto` by size, memory and recall.

    Args:
        options: What is asked for.
        count: How many vectors there are.
        dim: Their length.
    """
    if count < EXACT_BELOW:
        return Choice("exact", f"{count:,} vectors are few enough to compare with all")
    if options.recall == 1.0:
        return Choice("exact", "a recall of 1 is asked for")
    if options.kind != "auto":
        return Choice(options.kind, "configured")
    budget = options.memory_mib * _MIB if options.memory_mib else _half_of_memory()
    graph = memory_of("hnsw", count, dim)
    if graph <= budget:
        why = f"the graph and the vectors take {_mib(graph)} of {_mib(budget)}"
        return Choice("hnsw", f"{count:,} vectors: {why}")
    lists = memory_of("int8", count, dim)
    over = f"{count:,} vectors: a graph and the vectors take {_mib(graph)}, over {_mib(budget)}"
    if lists <= budget:
        return Choice("int8", f"{over}; 8-bit copies take {_mib(lists)}")
    bits = memory_of("binary", count, dim)
    return Choice("binary", f"{over}, 8-bit copies {_mib(lists)}; 1-bit copies take {_mib(bits)}")


def memory_of(kind: IndexKind, count: int, dim: int) -> int:
    """Return about how many bytes of memory so many vectors take in an index of this kind."""
    proposer = PROPOSERS.get(kind)
    each = _BOOKKEEPING
    if proposer is not None:
        each += proposer.bytes_per_vector(dim)
    if proposer is None or not proposer.on_disk:
        each += 4 * dim
    return count * each


def _half_of_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _mib(size: int) -> str:
    return f"{size / _MIB:,.0f} MiB"
