"""Poolings while they are trained, as torch modules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.alignment.pairs import Rows
from tiepoint.alignment.towers import HeadModule
from tiepoint.alignment.trainer import Towers
from tiepoint.encoders.base import Vectors
from tiepoint.sequences.learned import AttentionPooling, LearnedPooling, RecurrentPooling
from tiepoint.sequences.pooling import Sequences

if TYPE_CHECKING:
    from tiepoint.sequences.fitting import PoolingOptions

_SMALLEST_DEVIATION = 1e-6


class PoolingModule(nn.Module):
    """A pooling in training; computes what its `LearnedPooling` will.

    Args:
        mean: (d,) subtracted from the frames.
        scale: (d,) they are multiplied by.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def standard(self, frames: Tensor) -> Tensor:
        """Return (n, t, d) standardised frames."""
        return (frames - self.mean) * self.scale

    def pooling(self) -> LearnedPooling:
        """Return the pooling as plain arrays."""
        return self.learned({"mean": _array(self.mean), "scale": _array(self.scale)})

    @abstractmethod
    def learned(self, standard: Mapping[str, Vectors]) -> LearnedPooling:
        """Return the pooling; `standard` has what standardises the frames."""


class AttentionModule(PoolingModule):
    """`AttentionPooling` in training; starts as the mean.

    Args:
        mean: (d,) subtracted from the frames.
        scale: (d,) they are multiplied by.
        width: Of the hidden layer.
    """

    def __init__(self, mean: Tensor, scale: Tensor, width: int) -> None:
        super().__init__(mean, scale)
        self.hidden = nn.Linear(len(mean), width)
        self.score = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return (n, d) unit vectors for (n, t, d) frames and their (n, t) mask."""
        scores = self.score(torch.tanh(self.hidden(self.standard(frames))))[:, :, 0]
        weights = scores.masked_fill(~mask, -torch.inf).softmax(1)
        return functional.normalize((weights[:, :, None] * frames).sum(1), dim=1)

    def learned(self, standard: Mapping[str, Vectors]) -> AttentionPooling:
        return AttentionPooling(
            {
                **standard,
                "hidden": _array(self.hidden.weight).T,
                "bias": _array(self.hidden.bias),
                "score": _array(self.score.weight)[0],
            }
        )


class RecurrentModule(PoolingModule):
    """`RecurrentPooling` in training.

    Args:
        mean: (d,) subtracted from the frames.
        scale: (d,) they are multiplied by.
        width: Of the state.
    """

    def __init__(self, mean: Tensor, scale: Tensor, width: int) -> None:
        super().__init__(mean, scale)
        self.unit = nn.GRU(len(mean), width, batch_first=True)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return (n, d + width) unit vectors for (n, t, d) frames and their (n, t) mask."""
        mean = functional.normalize((mask[:, :, None] * frames).sum(1), dim=1)
        states, _ = self.unit(self.standard(frames))
        last = mask.sum(1) - 1
        state = functional.normalize(states[torch.arange(len(states)), last], dim=1)
        return torch.cat([mean, state], dim=1) / 2**0.5

    def learned(self, standard: Mapping[str, Vectors]) -> RecurrentPooling:
        return RecurrentPooling(
            {
                **standard,
                "input": _array(self.unit.weight_ih_l0),
                "input_bias": _array(self.unit.bias_ih_l0),
                "state": _array(self.unit.weight_hh_l0),
                "state_bias": _array(self.unit.bias_hh_l0),
            }
        )


MODULES: dict[str, type[AttentionModule | RecurrentModule]] = {
    "attention": AttentionModule,
    "gru": RecurrentModule,
}


class SequenceTowers(Towers):
    """A pooling with a linear head for sequences, and a linear head for their targets.

    Args:
        sequences: The training sequences.
        targets: (m, d_t) what they belong to.
        options: Of the fit.
        seed: Of the initial weights.
    """

    def __init__(
        self, sequences: Sequences, targets: Vectors, options: PoolingOptions, seed: int
    ) -> None:
        super().__init__(options.loss, options.temperature)
        torch.manual_seed(seed)
        self._frames = torch.from_numpy(sequences.frames)
        self._mask = torch.from_numpy(sequences.mask)
        target_mean, target_scale = _standard(targets)
        self._targets = (torch.from_numpy(targets) - target_mean) * target_scale
        self._target_standard = (target_mean, target_scale)
        mean, scale = _standard(sequences.frames[sequences.mask])
        self.pooled = MODULES[options.method](mean, scale, options.width)
        width = len(self.pooled(self._frames[:1], self._mask[:1])[0])
        self.first = HeadModule(width, options.dim, 0, options.dropout)
        self.second = HeadModule(targets.shape[1], options.dim, 0, options.dropout)

    def forward(self, links: Rows) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(links)
        first = self.pooled(self._frames[rows[:, 0]], self._mask[rows[:, 0]])
        return self.first(first), self.second(self._targets[rows[:, 1]])

    def joint(self, sequences: Sequences, targets: Vectors) -> tuple[Vectors, Vectors]:
        """Return the unit vectors of other sequences and targets in the space of training."""
        mean, scale = self._target_standard
        first = self.first(
            self.pooled(torch.from_numpy(sequences.frames), torch.from_numpy(sequences.mask))
        )
        second = self.second((torch.from_numpy(targets) - mean) * scale)
        return _array(first), _array(second)


def _standard(x: Vectors) -> tuple[Tensor, Tensor]:
    """Return mean and inverse deviation; 0 for a dimension that does not vary."""
    mean, deviation = x.mean(0), x.std(0)
    varies = deviation > _SMALLEST_DEVIATION
    scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0)
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(scale.astype(np.float32))


def _array(value: Any) -> Vectors:
    return np.asarray(value.detach().numpy(), np.float32)
