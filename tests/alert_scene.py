"""A desk of alerts under a simulated clock, and what it had people told of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.simulated_clock import SimulatedClock
from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.desk import AlertDesk
from tiepoint_security.alerts.journal import Addressed
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.alerts.policy import AlertPolicy
from tiepoint_security.alerts.telling import Policies

FRAME_S = 0.2


@dataclass
class Notebook:
    """A journal in memory."""

    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[Addressed] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    def record(self, alert: Alert, messages: Sequence[Addressed]) -> None:
        self.kept[alert.id] = alert.view()
        self.messages.extend(messages)

    def acknowledged(self, ids: Collection[str]) -> Mapping[str, str]:
        return {id: user for id, user in self.answers.items() if id in ids}

    def unfinished(self) -> list[Alert]:
        return []


class Scene:
    """Five frames a second in front of a desk."""

    def __init__(
        self, all_sinks: Sequence[str] = ("web",), rate: Any = None, **policy: Any
    ) -> None:
        self.clock = SimulatedClock()
        self.notebook = Notebook()
        self.desk = AlertDesk(
            self.notebook, all_sinks, self.clock, Policies(AlertPolicy(**policy)), rate
        )

    def see(self, score: float, seconds: float, **observation: Any) -> Alert | None:
        """Show one subject at a score for a while."""
        alert = None
        for _ in range(round(seconds / FRAME_S)):
            self.clock.pass_by(FRAME_S)
            named = {"camera": "gate", "rule": "intrusion", **observation}
            alert = self.desk.observe(Observation(score=score, **named))
            self.desk.tick()
        return alert

    def wait(self, seconds: float) -> None:
        """Let time pass, with a tick each second, and nothing to see."""
        for _ in range(round(seconds)):
            self.clock.pass_by(1.0)
            self.desk.tick()

    @property
    def types(self) -> list[str]:
        return [addressed.message.body["type"] for addressed in self.notebook.messages]

    @property
    def news(self) -> int:
        return self.types.count("new")


def looks(seed: int, blend: float = 0.0) -> np.ndarray:
    """Return what a subject looks like; `blend` makes it another picture of the same one."""
    rng = np.random.default_rng(seed)
    vector = rng.standard_normal(64)
    vector = vector / np.linalg.norm(vector)
    other = np.random.default_rng(seed + 1000).standard_normal(64)
    mixed = vector + blend * other / np.linalg.norm(other)
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)
