"""The state of a training on disk, so that it goes on after a kill: safetensors and JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tiepoint.saving import replaced_together

log = logging.getLogger(__name__)

FILE = "training.safetensors"


@dataclass
class Checkpoint:
    """Where a training stands.

    Attributes:
        identity: Names data, options and seed; another training's state is not taken.
        epoch: Epochs that are done.
        stale: Epochs since the best validation figure.
        best: The best validation figure.
        history: The figures of every epoch.
        model: The parameters that are trained, as they are.
        best_model: The parameters at the best validation figure; the last ones without any.
        moments: The state of AdamW, by parameter.
    """

    identity: str
    epoch: int = 0
    stale: int = 0
    best: float = float("-inf")
    history: list[Mapping[str, float]] = field(default_factory=list)
    model: dict[str, Tensor] = field(default_factory=dict)
    best_model: dict[str, Tensor] = field(default_factory=dict)
    moments: dict[str, Tensor] = field(default_factory=dict)

    def advance(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, figures: Mapping[str, float]
    ) -> None:
        """Take over the state after an epoch."""
        self.epoch += 1
        self.history.append(figures)
        self.model = {name: value.detach().clone() for name, value in trained(model).items()}
        self.moments = {
            f"{index}.{name}": value.detach().clone()
            for index, moments in optimiser.state_dict()["state"].items()
            for name, value in moments.items()
        }
        figure = figures.get("val/rsum")
        if figure is None or figure > self.best:
            self.best_model = self.model
            self.best = self.best if figure is None else figure
            self.stale = 0
        else:
            self.stale += 1

    def restore(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Give model and optimiser this state."""
        assign(model, self.model)
        state = optimiser.state_dict()
        state["state"] = {}
        for key, value in self.moments.items():
            index, name = key.split(".", 1)
            state["state"].setdefault(int(index), {})[name] = value
        optimiser.load_state_dict(state)


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that are trained, by name; the others are those of the start."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def assign(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Give the parameters that are trained these values."""
    with torch.no_grad():
        for name, parameter in trained(model).items():
            parameter.copy_(values[name])


def write_checkpoint(folder: Path, state: Checkpoint) -> None:
    """Write a state; a kill leaves the one before it."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    parts = {"model": state.model, "best": state.best_model, "moments": state.moments}
    tensors = {
        f"{part}/{name}": value.clone()
        for part, values in parts.items()
        for name, value in values.items()
    }
    progress = {
        "identity": state.identity,
        "epoch": state.epoch,
        "stale": state.stale,
        "best": state.best if state.history and "val/rsum" in state.history[-1] else None,
        "history": state.history,
    }
    with replaced_together(folder / FILE) as (partial,):
        save_file(tensors, partial, {"progress": json.dumps(progress)})


def read_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """Return the state in a folder, or None if there is none of this training."""
    import safetensors

    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, "pt") as file:
            progress: dict[str, Any] = json.loads(file.metadata()["progress"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except safetensors.SafetensorError as error:
        log.warning("%s is damaged (%s); training starts anew", path, error)
        return None
    if progress["identity"] != identity:
        log.warning("%s is of another training, which starts anew", path)
        return None
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "moments": {}}
    for key, value in tensors.items():
        part, name = key.split("/", 1)
        parts[part][name] = value
    best = progress["best"]
    return Checkpoint(
        identity,
        progress["epoch"],
        progress["stale"],
        float("-inf") if best is None else best,
        progress["history"],
        parts["model"],
        parts["best"],
        parts["moments"],
    )
