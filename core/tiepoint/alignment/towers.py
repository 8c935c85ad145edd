"""The heads of a contrastive aligner while they are trained, and their validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.alignment.checks import unit_rows
from tiepoint.alignment.components import Components
from tiepoint.alignment.heads import Branch, Head
from tiepoint.alignment.pairs import PairSet, Rows
from tiepoint.alignment.trainer import Towers
from tiepoint.encoders.base import Vectors
from tiepoint.evaluation.retrieval import evaluate
from tiepoint.types import Modality

if TYPE_CHECKING:
    from tiepoint.alignment.contrastive import ContrastiveOptions


class HeadModule(nn.Module):
    """A `Head` in training, with dropout before each of its layers.

    Args:
        d_in: Length of its inputs.
        d_out: Length of the joint vectors; that of the inputs if None, and then the head starts
            as the identity and learns what is added to it.
        hidden: Width of the residual branch; 0 for none.
        dropout: Share of inputs left out.
    """

    def __init__(self, d_in: int, d_out: int | None, hidden: int, dropout: float) -> None:
        super().__init__()
        self.starts_as_identity = d_out is None
        width = d_in if d_out is None else d_out
        self.linear = nn.Linear(d_in, width)
        self.dropout = nn.Dropout(dropout)
        self.inner = nn.Linear(d_in, hidden) if hidden else None
        self.outer = nn.Linear(hidden, width, bias=False) if hidden else None
        if self.starts_as_identity:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)
        if self.outer is not None:
            # The branch starts silent, so that training begins from the linear head.
            nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, d_out) unit vectors for (n, d_in)."""
        kept = self.dropout(x)
        joint: Tensor = self.linear(kept)
        if self.starts_as_identity:
            joint = joint + x
        if self.inner is not None and self.outer is not None:
            active = functional.gelu(self.inner(kept), approximate="tanh")
            joint = joint + self.outer(self.dropout(active))
        return functional.normalize(joint, dim=1)

    def head(self) -> Head:
        """Return the head as plain arrays."""
        branch = None
        if self.inner is not None and self.outer is not None:
            branch = Branch(
                _array(self.inner.weight).T, _array(self.inner.bias), _array(self.outer.weight).T
            )
        weight = _array(self.linear.weight).T
        if self.starts_as_identity:
            weight = weight + np.eye(len(weight), dtype=np.float32)
        return Head(weight, _array(self.linear.bias), branch)


class HeadTowers(Towers):
    """A head for each of two modalities.

    Args:
        inputs: (n_views, n, k) components of the training vectors by modality, in the links'
            order. The first view is the plain one; a step takes any of them for each row.
        options: Of the aligner.
        seed: Of the initial weights.
    """

    def __init__(
        self, inputs: Mapping[Modality, Vectors], options: ContrastiveOptions, seed: int
    ) -> None:
        super().__init__(options.loss, options.temperature)
        torch.manual_seed(seed)
        self._inputs = [torch.from_numpy(x) for x in inputs.values()]
        width = options.dim if options.canonical is None else None
        self.first, self.second = (
            HeadModule(x.shape[2], width, options.hidden, options.dropout) for x in self._inputs
        )

    def forward(self, links: Rows) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(links)
        first, second = self._inputs
        return self.first(_any_view(first, rows[:, 0])), self.second(_any_view(second, rows[:, 1]))

    def heads(self) -> tuple[Head, Head]:
        """Return the heads as plain arrays."""
        return self.first.head(), self.second.head()


def validation(
    model: HeadTowers, val: PairSet, components: Mapping[Modality, Components]
) -> Callable[[], Mapping[str, float]]:
    """Return what computes the protocol's figures of a model on held-out pairs, as it is.

    A gallery holds the texts of one language, and `rsum` is the mean over languages.
    """
    galleries = [_gallery(part, components) for part in val.galleries()]

    def figures() -> Mapping[str, float]:
        first_head, second_head = model.heads()
        sums = [
            evaluate(unit_rows(first_head(first)), unit_rows(second_head(second)), links).rsum
            for links, first, second in galleries
        ]
        return {"rsum": float(np.mean(sums))}

    return figures


def _gallery(
    pairs: PairSet, components: Mapping[Modality, Components]
) -> tuple[Rows, Vectors, Vectors]:
    """Return the links, and the components of both modalities."""
    first, second = (components[m](x) for m, x in pairs.vectors.items())
    return pairs.links, first, second


def _any_view(inputs: Tensor, rows: Tensor) -> Tensor:
    """Return (n, k) a random view of each of n rows; nothing is drawn where there is one."""
    if len(inputs) == 1:
        return inputs[0, rows]
    return inputs[torch.randint(len(inputs), rows.shape), rows]


def _array(parameter: Tensor) -> Vectors:
    return np.asarray(parameter.detach().numpy(), np.float32)
