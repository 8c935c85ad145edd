"""Training on links: AdamW with warm-up and cosine, early stopping, and checkpoints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tiepoint.alignment.batches import LinkBatches, positives
from tiepoint.alignment.checkpoints import (
    Checkpoint,
    assign,
    read_checkpoint,
    trained,
    write_checkpoint,
)
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.losses import LOSSES
from tiepoint.alignment.pairs import Rows

_LARGEST_SCALE = 200.0
_GRADIENT_NORM = 1.0
_SIGMOID_BIAS = -10.0


class Schedule(Protocol):
    """How the training goes; the options of a method that is trained say it.

    Attributes:
        epochs: Passes over the links of the largest group.
        batch: Links of one group in a step.
        learning_rate: Of AdamW, after the warm-up; it falls to zero along a cosine.
        weight_decay: Of matrices; biases and the temperature have none.
        warmup: Share of the steps.
        patience: Epochs without a better validation figure after which training stops.
    """

    @property
    def epochs(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def warmup(self) -> float: ...
    @property
    def patience(self) -> int: ...


_SCHEDULE = ("epochs", "batch", "learning_rate", "weight_decay", "warmup", "patience")


class Trainable(nn.Module):
    """What is trained: a model that says how wrong it is about a batch of links."""

    def loss(self, links: Rows) -> Tensor:
        """Return the loss of (n, 2) links of one group, a scalar."""
        raise TypeError(f"{type(self).__name__} does not say what its loss is")

    def constrain(self) -> None:
        """Bring parameters back into their limits; called after every step."""

    def figures(self) -> Mapping[str, float]:
        """Return what is worth to be shown of the parameters after an epoch."""
        return {}


class Towers(Trainable):
    """Vectors of the first and of the second rows of links, trained by contrast.

    Subclasses implement `forward`. The inverse temperature is learned in its logarithm; the
    shift is the bias of the sigmoid loss.

    Args:
        loss: `infonce`, `sigmoid` or `hinge`.
        temperature: Where it starts.
        bias: Where the shift starts.
    """

    def __init__(self, loss: str, temperature: float, bias: float = _SIGMOID_BIAS) -> None:
        super().__init__()
        self._function = LOSSES[loss]
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(1 / temperature))))
        self.shift = nn.Parameter(torch.tensor(bias))

    def forward(self, links: Rows) -> tuple[Tensor, Tensor]:
        """Return (n, d) unit vectors of the first rows, and of the second rows."""
        raise TypeError(f"{type(self).__name__} does not say how rows become vectors")

    def loss(self, links: Rows) -> Tensor:
        first, second = self(links)
        cosines = first @ second.T
        related = torch.from_numpy(positives(links)).to(cosines.device)
        return self._function(cosines, related, self.log_scale.exp(), self.shift)

    def constrain(self) -> None:
        self.log_scale.clamp_(0, float(np.log(_LARGEST_SCALE)))

    def figures(self) -> Mapping[str, float]:
        return {"scale": float(self.log_scale.exp())}


Validate = Callable[[], Mapping[str, float]]
"""Figures of the model as it is; `rsum` decides about early stopping."""


def train(
    model: Trainable,
    groups: Sequence[Rows],
    schedule: Schedule,
    settings: FitSettings,
    key: str,
    validate: Validate | None = None,
) -> list[Mapping[str, float]]:
    """Train a model, and leave it in its best state.

    The same seed gives the same model on the same machine, also when training was
    interrupted and resumed.

    Args:
        model: What is trained.
        groups: (n_g, 2) links of each group; positives are within a group.
        schedule: How.
        settings: Seed, progress, checkpoint.
        key: What else the result depends on; a checkpoint of another key is not resumed.
        validate: Called after each epoch, with the model in evaluation mode.

    Returns:
        The figures of every epoch.
    """
    batches = LinkBatches(groups, schedule.batch, settings.seed)
    optimiser = _optimiser(model, schedule)
    identity = _identity(key, schedule, settings.seed)
    state = Checkpoint(identity)
    if settings.checkpoint is not None:
        found = read_checkpoint(settings.checkpoint, identity)
        if found is not None:
            state = found
            state.restore(model, optimiser)
    for epoch in range(state.epoch, schedule.epochs):
        if state.stale >= schedule.patience:
            break
        loss = _run_epoch(model, batches, epoch, schedule, optimiser, settings.seed)
        model.eval()
        with torch.inference_mode():
            figures = {"loss": loss, **model.figures()}
            if validate is not None:
                figures |= {f"val/{name}": value for name, value in validate().items()}
        state.advance(model, optimiser, figures)
        settings.tell(epoch + 1, schedule.epochs, **figures)
        if settings.checkpoint is not None:
            write_checkpoint(settings.checkpoint, state)
    assign(model, state.best_model)
    model.eval()
    return list(state.history)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread.

    A step of heads is some small products: further threads wait for each other longer than
    they work, and sums in another order would make the result depend on their number.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def learning_rate_factor(step: int, total: int, warmup: float) -> float:
    """Return the share of the learning rate at a step: a linear rise, then a half cosine.

    >>> [round(learning_rate_factor(step, 100, 0.1), 2) for step in (0, 9, 10, 55, 99)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + float(np.cos(np.pi * (step - rising) / max(1, total - rising))))


def _run_epoch(
    model: Trainable,
    batches: LinkBatches,
    epoch: int,
    schedule: Schedule,
    optimiser: torch.optim.Optimizer,
    seed: int,
) -> float:
    """Train for one epoch; returns the mean loss."""
    # Dropout draws from torch's generator: seeded by epoch, a resumed training draws the same.
    torch.manual_seed(seed * 1_000_003 + epoch)
    model.train()
    losses = []
    total = schedule.epochs * batches.steps
    for step, groups in enumerate(batches.epoch(epoch), start=epoch * batches.steps):
        factor = learning_rate_factor(step, total, schedule.warmup)
        for parameters in optimiser.param_groups:
            parameters["lr"] = schedule.learning_rate * factor
        loss = torch.zeros(())
        for links in groups:
            loss = loss + model.loss(links)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained(model).values(), _GRADIENT_NORM)
        optimiser.step()
        with torch.no_grad():
            model.constrain()
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _optimiser(model: Trainable, schedule: Schedule) -> torch.optim.AdamW:
    parameters = list(trained(model).values())
    return torch.optim.AdamW(
        [
            {
                "params": [p for p in parameters if p.ndim > 1],
                "weight_decay": schedule.weight_decay,
            },
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=schedule.learning_rate,
        betas=(0.9, 0.98),
    )


def _identity(key: str, schedule: Schedule, seed: int) -> str:
    told = {name: getattr(schedule, name) for name in _SCHEDULE}
    parts = json.dumps([key, told, seed], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()
