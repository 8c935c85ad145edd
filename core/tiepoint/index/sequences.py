"""The last sequence number of a store that has no maximum to ask for."""

from __future__ import annotations

from collections.abc import Callable


def last_sequence(is_beyond: Callable[[int], bool], known: int) -> int:
    """Return the greatest sequence number stored, or `known` if none is greater.

    Milvus has no maximum, and Milvus Lite builds every row that it returns (0.1 ms each, with
    its vectors); asking whether there is any row beyond a number costs a fraction of that.

    Args:
        is_beyond: Whether any row has a greater number than the one given.
        known: A lower bound.

    >>> numbers = [3, 8, 21]
    >>> last_sequence(lambda sequence: any(n > sequence for n in numbers), known=5)
    21
    """
    low, step = known, 1
    while is_beyond(low + step - 1):
        low, step = low + step, step * 2
    high = low + step - 1
    while low < high:
        middle = (low + high) // 2
        if is_beyond(middle):
            low = middle + 1
        else:
            high = middle
    return low
