"""Clocks that stand still until a test moves them."""

from __future__ import annotations

from dataclasses import dataclass

MONDAY_NOON_S = 1_767_614_400.0
"""2026-01-05 12:00 UTC, a Monday."""


@dataclass
class SimulatedClock:
    """Both clocks of a machine; the wall clock can be set apart from the other."""

    monotonic_s: float = 1000.0
    wall_s: float = MONDAY_NOON_S

    def monotonic(self) -> float:
        return self.monotonic_s

    def wall(self) -> float:
        return self.wall_s

    def pass_by(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds
