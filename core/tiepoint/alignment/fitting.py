"""What a fit is told apart from its method's options, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FitProgress:
    """How far a fit is.

    Attributes:
        done: Steps (epochs, rounds) done.
        total: Of how many.
        metrics: Figures of this step by name, such as `loss` and `val/rsum`.
    """

    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FitSettings:
    """What a fit is told apart from the method's options; it does not change the result.

    Attributes:
        seed: Of everything random.
        progress: Called after every step.
        checkpoint: A folder where a method that takes steps keeps its state and finds it again
            after a kill; None to keep nothing.
    """

    seed: int = 0
    progress: Callable[[FitProgress], None] | None = None
    checkpoint: Path | None = None

    def tell(self, done: int, total: int, **metrics: float) -> None:
        """Report a step."""
        if self.progress is not None:
            self.progress(FitProgress(done, total, metrics))


@dataclass(frozen=True)
class FitReport:
    """What a fit did.

    Attributes:
        method: The method's name.
        pairs: How many pairs it learned from.
        seconds: How long it took.
        metrics: Figures by name; with validation pairs, `val` has those of the protocol.
        history: The figures of every step.
        warnings: What the user should know, one line each.
    """

    method: str
    pairs: int
    seconds: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, float], ...] = ()
    warnings: tuple[str, ...] = ()
