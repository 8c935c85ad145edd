"""How a match head is learned, with torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pairs import Rows
from tiepoint.alignment.trainer import Schedule, Trainable, train
from tiepoint.encoders.base import Vectors
from tiepoint.evaluation.retrieval import recalls
from tiepoint.fusion.examples import FusionExamples
from tiepoint.fusion.learned_weights import learned_weights
from tiepoint.fusion.match_head import MatchHeadOptions, joined_inputs, standing_inputs

_ROWS_AT_ONCE = 128


class MatchNetwork(Trainable):
    """The head in training; it starts silent, so that the order is that of the weighted sum.

    Args:
        examples: The labelled queries, with vectors.
        weights: (r,) of the weighted sum.
        options: Of the fusion.
        seed: Of the initial matrices.
    """

    def __init__(
        self,
        examples: FusionExamples,
        weights: NDArray[np.float64],
        options: MatchHeadOptions,
        seed: int,
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self._examples, self._options = examples, options
        self._base, self._hardest = hardest(examples, weights, options.depth)
        self._compared = [
            r for r in examples.routes if r in examples.queries.keys() & examples.items
        ]
        dims = [3 * examples.items[route].shape[1] for route in self._compared]
        fan_in = sum(dims) + 2 * len(weights)
        hidden = options.hidden
        self.joined = nn.ParameterList(
            [nn.Parameter(torch.randn(dim, hidden) / np.sqrt(fan_in)) for dim in dims]
        )
        self.standing = nn.Parameter(torch.randn(2 * len(weights), hidden) / np.sqrt(fan_in))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.output = nn.Parameter(torch.zeros(hidden))
        self.shift = nn.Parameter(torch.zeros(()))
        self.dropout = nn.Dropout(options.dropout)

    def loss(self, links: Rows) -> Tensor:
        options, hard = self._options, self._hardest[links[:, 0]]
        drawn = torch.randint(hard.shape[1], (len(links), options.negatives)).numpy()
        columns = np.concatenate([links[:, 1:], np.take_along_axis(hard, drawn, 1)], 1)
        counted = torch.from_numpy(columns >= 0)
        columns = np.maximum(columns, 0)
        rows = np.repeat(links[:, :1], columns.shape[1], 1)
        said = self.logits(self._examples, rows.ravel(), columns.ravel()).view(columns.shape)
        odds = said + torch.from_numpy(self._base[rows, columns]) + self.shift
        labels = torch.zeros_like(odds)
        labels[:, 0] = 1
        losses = functional.binary_cross_entropy_with_logits(odds, labels, reduction="none")
        # The relevant item weighs as much as all its negatives together.
        mean: Tensor = (losses[:, 0] + (losses[:, 1:] * counted[:, 1:]).mean(1)).mean()
        return mean

    def logits(self, examples: FusionExamples, rows: Rows, columns: Rows) -> Tensor:
        """Return (n,) what the head adds to the log-odds of candidates of labelled queries."""
        standing = standing_inputs(examples.standing[rows, columns])
        hidden = self.bias + self.dropout(torch.from_numpy(standing)) @ self.standing
        items = examples.candidates[rows, columns]
        for route, matrix in zip(self._compared, self.joined, strict=True):
            joined = joined_inputs(examples.queries[route][rows], examples.items[route][items])
            hidden = hidden + self.dropout(torch.from_numpy(joined)) @ matrix
        active: Tensor = self.dropout(functional.gelu(hidden, approximate="tanh"))
        return active @ self.output

    def tensors(self) -> Tensors:
        """Return the learned parameters as plain arrays by name."""
        named = {
            "standing": self.standing,
            "bias": self.bias,
            "output": self.output,
            **{
                f"joined.{r}": matrix for r, matrix in zip(self._compared, self.joined, strict=True)
            },
        }
        return {name: tensor.detach().numpy().copy() for name, tensor in named.items()}


def hardest(
    examples: FusionExamples, weights: NDArray[np.float64], depth: int
) -> tuple[Vectors, Rows]:
    """Return (q, c) weighted sums, and (q, depth) columns of the best irrelevant candidates.

    Columns are -1 where a query has fewer.
    """
    base = np.asarray(examples.known_standing() @ weights, np.float32)
    rivals = np.where(examples.rivals, base, -np.inf)
    columns = np.argsort(-rivals, axis=1, kind="stable")[:, :depth]
    there = np.take_along_axis(rivals, columns, 1) > -np.inf
    return base, np.where(there, columns, -1)


def learned_match_head(
    examples: FusionExamples,
    val: FusionExamples | None,
    options: MatchHeadOptions,
    settings: FitSettings,
) -> tuple[Tensors, list[Mapping[str, float]]]:
    """Return the parameters of `MatchHeadFusion`, and the figures of every epoch.

    Raises:
        InputError: Queries that nothing can be learned from.
    """
    weights = learned_weights(examples, options.regularisation)
    model = MatchNetwork(examples, weights, options, settings.seed)
    schedule = Schedule(
        options.epochs,
        options.batch,
        options.learning_rate,
        options.weight_decay,
        options.warmup,
        options.patience,
    )

    def figures() -> Mapping[str, float]:
        if val is None:
            return {}
        return {"rsum": sum(recalls(val.ranks(_scores(model, val, weights, options))).values())}

    key = f"match-head {options.model_dump_json()} {examples.data_hash}"
    history = train(
        model, [examples.links], schedule, settings, key, figures if val is not None else None
    )
    return model.tensors() | {"weights": weights.astype(np.float32)}, history


def _scores(
    model: MatchNetwork,
    examples: FusionExamples,
    weights: NDArray[np.float64],
    options: MatchHeadOptions,
) -> Vectors:
    """Return (q, c) scores in which the best of the weighted sum are re-ranked."""
    base = np.asarray(examples.known_standing() @ weights, np.float32)
    base = np.where(examples.candidates >= 0, base, -np.inf)
    scores = base.copy()
    for start in range(0, len(examples), _ROWS_AT_ONCE):
        part = base[start : start + _ROWS_AT_ONCE]
        best = np.argsort(-part, axis=1, kind="stable")[:, : options.depth]
        rows = np.repeat(np.arange(start, start + len(part))[:, None], best.shape[1], 1)
        said = model.logits(examples, rows.ravel(), best.ravel()).numpy().reshape(best.shape)
        scores[rows, best] += said - said.min(1, keepdims=True)
    return scores
