"""How long to wait before trying again: longer each time, and never in step with others."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double up to a limit, each cut by chance by up to half.

    The chance keeps a hundred cameras that lost one switch from coming back in the same
    instant ("equal jitter", M. Brooker, Exponential Backoff and Jitter, 2015).

    Attributes:
        first_s: The first wait, in seconds.
        most_s: The longest wait.
        chance: Where the chance comes from.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    chance: random.Random = field(default_factory=random.Random, compare=False, repr=False)

    def wait_s(self, failures: int) -> float:
        """Return the seconds to wait after that many failures in a row (1 or more)."""
        whole = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return whole * self.chance.uniform(0.5, 1.0)
