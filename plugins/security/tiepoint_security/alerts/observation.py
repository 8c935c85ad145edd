"""What a rule says of one subject in one frame: the input of everything about alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.alerts.severity import Severity

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as parts of the picture's width and height, in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """How much a rule applies to a subject now; given for every analysed frame, also at 0.

    Attributes:
        camera: The camera's name.
        rule: The rule's name.
        score: The degree to which the rule applies; compared with the rule's thresholds.
        track: Which of the camera's tracked subjects; empty for the scene as a whole.
        severity: As the rule says.
        box: Where the subject is; None for the scene as a whole.
        appearance: (d,) float32, unit norm; what the subject looks like; None if unknown.
        zones: The zones that it is in.
        contributions: What each trigger of the rule added to the score.
        seen: Whether the subject is seen now, rather than was a moment ago.
    """

    camera: str
    rule: str
    score: float
    track: str = ""
    severity: Severity = "warning"
    box: Box | None = None
    appearance: NDArray[np.float32] | None = None
    zones: tuple[str, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)
    seen: bool = True
