"""The steps of a fit while it goes on: lines on stderr, and logs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from tiepoint.cli.output import say

if TYPE_CHECKING:
    from tiepoint.alignment.fitting import FitProgress

LINE_EVERY_S = 2.0


def shown_steps(
    stack: ExitStack, tensorboard: Path | None, wandb: str | None
) -> Callable[[FitProgress], None]:
    """Return what shows a step: a line on stderr now and then, and the logs that are wanted."""
    from tiepoint.alignment.step_logs import step_logs

    logs = step_logs(stack, tensorboard, wandb)
    last = float("-inf")

    def show(step: FitProgress) -> None:
        nonlocal last
        for log in logs:
            log(step)
        if monotonic() - last >= LINE_EVERY_S or step.done == step.total:
            last = monotonic()
            figures = ", ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
            say(f"step {step.done} of {step.total}: {figures}")

    return show
