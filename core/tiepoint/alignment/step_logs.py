"""Steps of a fit, to TensorBoard or Weights & Biases (both are extras)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tiepoint.alignment.fitting import FitProgress
from tiepoint.errors import MissingDependencyError

StepLog = Callable[[FitProgress], None]


def step_logs(stack: ExitStack, tensorboard: Path | None, wandb: str | None) -> list[StepLog]:
    """Open the logs that are wanted; the stack closes them.

    Args:
        stack: What closes them.
        tensorboard: A folder for TensorBoard, or None.
        wandb: A project of Weights & Biases, or None. Its own environment variables hold, such
            as `WANDB_MODE=offline`.

    Raises:
        MissingDependencyError: The package is not installed.
    """
    logs = []
    if tensorboard is not None:
        logs.append(_tensorboard(stack, tensorboard))
    if wandb is not None:
        logs.append(_wandb(stack, wandb))
    return logs


def _tensorboard(stack: ExitStack, folder: Path) -> StepLog:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise _missing("tensorboard", "--tensorboard") from error
    writer = stack.enter_context(SummaryWriter(str(folder)))

    def log(step: FitProgress) -> None:
        for name, value in step.metrics.items():
            writer.add_scalar(name, value, step.done)

    return log


def _wandb(stack: ExitStack, project: str) -> StepLog:
    try:
        import wandb
    except ModuleNotFoundError as error:
        raise _missing("wandb", "--wandb") from error
    run = wandb.init(project=project)
    stack.callback(run.finish)
    return lambda step: run.log(dict(step.metrics), step=step.done)


def _missing(package: str, where: str) -> MissingDependencyError:
    return MissingDependencyError(
        f"the package {package} is not installed",
        where=where,
        hint=f"Install it: pip install 'tiepoint[{package}]'",
    )
