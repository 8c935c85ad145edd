"""The heads of a contrastive aligner while they are trained, and their validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.alignment.batches import Rows
from tiepoint.alignment.checks import unit_rows
from tiepoint.alignment.components import Components
from tiepoint.alignment.heads import Branch, Head
from tiepoint.alignment.languages import LanguageGate
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.trainer import Towers
from tiepoint.encoders.base import Vectors
from tiepoint.evaluation.retrieval import evaluate
from tiepoint.types import Modality

if TYPE_CHECKING:
    from tiepoint.alignment.contrastive import ContrastiveOptions


class HeadModule(nn.Module):
    """A `Head` in training, with dropout before each of its layers."""

    def __init__(self, d_in: int, d_out: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(d_in, d_out)
        self.dropout = nn.Dropout(dropout)
        self.inner = nn.Linear(d_in, hidden) if hidden else None
        self.outer = nn.Linear(hidden, d_out, bias=False) if hidden else None
        if self.outer is not None:
            # The branch starts silent, so that training begins from the linear head.
            nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, d_out) unit vectors for (n, d_in)."""
        x = self.dropout(x)
        joint: Tensor = self.linear(x)
        if self.inner is not None and self.outer is not None:
            active = functional.gelu(self.inner(x), approximate="tanh")
            joint = joint + self.outer(self.dropout(active))
        return functional.normalize(joint, dim=1)

    def head(self) -> Head:
        """Return the head as plain arrays."""
        branch = None
        if self.inner is not None and self.outer is not None:
            branch = Branch(
                _array(self.inner.weight).T, _array(self.inner.bias), _array(self.outer.weight).T
            )
        return Head(_array(self.linear.weight).T, _array(self.linear.bias), branch)


class HeadTowers(Towers):
    """One head for the first modality, and one for each group of the second.

    Args:
        inputs: (n, k) components of the training vectors by modality.
        groups: How many heads the second modality has.
        options: Of the aligner.
        seed: Of the initial weights.
    """

    def __init__(
        self,
        inputs: Mapping[Modality, Vectors],
        groups: int,
        options: ContrastiveOptions,
        seed: int,
    ) -> None:
        super().__init__(options.temperature)
        torch.manual_seed(seed)
        first, second = (torch.from_numpy(x) for x in inputs.values())
        self._inputs = (first, second)
        width = (options.dim, options.hidden, options.dropout)
        self.first = HeadModule(first.shape[1], *width)
        self.second = nn.ModuleList(HeadModule(second.shape[1], *width) for _ in range(groups))

    def forward(self, links: Rows, group: int) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(links)
        first, second = self._inputs
        return self.first(first[rows[:, 0]]), self.second[group](second[rows[:, 1]])

    def heads(self, first: Modality, second: Modality, names: list[str]) -> dict[str, Head]:
        """Return the heads as plain arrays, by the prefix of their tensors' names."""
        made = {first: _head(self.first)}
        for name, module in zip(names, self.second, strict=True):
            made[f"{second}.{name}" if name else second] = _head(module)
        return made


def validation(
    model: HeadTowers,
    val: PairSet,
    components: Mapping[Modality, Components],
    gate: LanguageGate | None,
) -> Callable[[], Mapping[str, float]]:
    """Return what computes the protocol's figures of a model on held-out pairs, as it is.

    With heads by language the gallery holds the texts of one language at a time, and `rsum`
    is the mean over languages.
    """
    parts = [(0, val)]
    if gate is not None:
        known = sorted(set(val.languages) & set(gate.names))
        parts = [(gate.names.index(name), val.of_language(name)) for name in known]
    galleries = [(group, _gallery(part, components)) for group, part in parts]

    def figures() -> Mapping[str, float]:
        sums = []
        for group, (links, first, second) in galleries:
            images = unit_rows(_head(model.first)(first))
            texts = unit_rows(_head(model.second[group])(second))
            sums.append(evaluate(images, texts, links).rsum)
        return {"rsum": float(np.mean(sums))}

    return figures


def _gallery(
    pairs: PairSet, components: Mapping[Modality, Components]
) -> tuple[Rows, Vectors, Vectors]:
    """Return the links, and the components of both modalities, without unpaired rows."""
    kept = pairs.of_links(pairs.links)
    first, second = (components[m](x) for m, x in kept.vectors.items())
    return kept.links, first, second


def _head(module: nn.Module) -> Head:
    if not isinstance(module, HeadModule):
        raise TypeError(f"{type(module).__name__} is not a head")
    return module.head()


def _array(parameter: Tensor) -> Vectors:
    return np.asarray(parameter.detach().numpy(), np.float32)
