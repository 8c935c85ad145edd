"""How a match head is learned, with torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.alignment.components import Components
from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pairs import Rows
from tiepoint.alignment.trainer import Trainable, train
from tiepoint.encoders.base import Vectors
from tiepoint.evaluation.retrieval import recalls
from tiepoint.fusion.examples import FusionExamples
from tiepoint.fusion.learned_weights import learned_weights
from tiepoint.fusion.match_head import MatchHeadOptions, joined_inputs, standing_inputs

_ROWS_AT_ONCE = 128
_NOTHING = np.float32(-1e4)
"""The weighted sum of a rival that is not there."""


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
        self._log_odds, self._hardest = hardest(examples, weights, options.depth)
        self._compared = {
            route: matched_components(examples, route, options.components)
            for route in examples.routes
            if route in examples.queries and route in examples.items
        }
        self._vectors = self.components_of(examples)
        dims = [3 * kept.matrix.shape[1] for kept in self._compared.values()]
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
        said = self.logits(self._examples, self._vectors, rows.ravel(), columns.ravel())
        said = said.view(columns.shape)
        odds = said + torch.from_numpy(self._log_odds[rows, columns]) + self.shift
        labels = torch.zeros_like(odds)
        labels[:, 0] = 1
        losses = functional.binary_cross_entropy_with_logits(odds, labels, reduction="none")
        # The relevant item weighs as much as all its negatives together.
        mean: Tensor = (losses[:, 0] + (losses[:, 1:] * counted[:, 1:]).mean(1)).mean()
        return mean

    def components_of(self, examples: FusionExamples) -> list[tuple[Vectors, Vectors]]:
        """Return components of queries and items by route, NaN where one is missing."""
        found = []
        for route, kept in self._compared.items():
            asked = examples.asked[:, examples.routes.index(route), None]
            queries = np.where(asked, kept(examples.queries[route]), np.nan)
            found.append((queries.astype(np.float32), kept(examples.items[route])))
        return found

    def logits(
        self,
        examples: FusionExamples,
        vectors: list[tuple[Vectors, Vectors]],
        rows: Rows,
        columns: Rows,
    ) -> Tensor:
        """Return (n,) what the head adds to the log-odds of candidates of labelled queries.

        Args:
            examples: The queries.
            vectors: Their `components_of`.
            rows: (n,) queries.
            columns: (n,) a candidate of each.
        """
        standing = standing_inputs(examples.standing[rows, columns])
        hidden = self.bias + self.dropout(torch.from_numpy(standing)) @ self.standing
        items = examples.candidates[rows, columns]
        for (queries, stored), matrix in zip(vectors, self.joined, strict=True):
            joined = joined_inputs(queries[rows], stored[items])
            hidden = hidden + self.dropout(torch.from_numpy(joined)) @ matrix
        active: Tensor = self.dropout(functional.gelu(hidden, approximate="tanh"))
        return active @ self.output

    def tensors(self) -> Tensors:
        """Return the learned parameters as plain arrays by name."""
        named = {"standing": self.standing, "bias": self.bias, "output": self.output}
        named |= {f"joined.{r}": m for r, m in zip(self._compared, self.joined, strict=True)}
        tensors = {name: tensor.detach().numpy().copy() for name, tensor in named.items()}
        for route, kept in self._compared.items():
            tensors |= {f"mean.{route}": kept.mean, f"components.{route}": kept.matrix}
        return tensors


def matched_components(examples: FusionExamples, route: str, most: int) -> Components:
    """Return components of a route's queries and items together, of unit variance on average."""
    asked = examples.asked[:, examples.routes.index(route)]
    items = examples.items[route]
    x = np.concatenate([examples.queries[route][asked], items[~np.isnan(items[:, 0])]])
    fitted = Components.fit(x, most)
    if not fitted(x).any():  # all vectors are the same, and say nothing
        return Components(fitted.mean, np.zeros((x.shape[1], 1), np.float32))
    kept = fitted.scaled_to(x)
    return Components(kept.mean, kept.matrix * np.float32(np.sqrt(kept.matrix.shape[1])))


def hardest(
    examples: FusionExamples, weights: NDArray[np.float64], depth: int
) -> tuple[Vectors, Rows]:
    """Return (q, c) log-odds by weighted sum, and (q, depth) columns of the best rivals.

    The log-odds of a candidate are those against the rivals of its query, as the weights were
    learned. Columns are -1 where a query has fewer rivals.
    """
    base = np.asarray(examples.known_standing() @ weights, np.float32)
    rivals = np.where(examples.rivals, base, -np.inf)
    columns = np.argsort(-rivals, axis=1, kind="stable")[:, :depth]
    best = np.take_along_axis(rivals, columns, 1)
    against = np.logaddexp.reduce(np.maximum(best, _NOTHING), axis=1, keepdims=True)
    return base - against, np.where(np.isfinite(best), columns, -1)


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

    def figures() -> Mapping[str, float]:
        if val is None:
            return {}
        return {"rsum": sum(recalls(val.ranks(_scores(model, val, weights, options))).values())}

    key = f"match-head {options.model_dump_json()} {examples.data_hash}"
    history = train(
        model, [examples.links], options, settings, key, figures if val is not None else None
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
    scores, vectors = base.copy(), model.components_of(examples)
    for start in range(0, len(examples), _ROWS_AT_ONCE):
        part = base[start : start + _ROWS_AT_ONCE]
        best = np.argsort(-part, axis=1, kind="stable")[:, : options.depth]
        rows = np.repeat(np.arange(start, start + len(part))[:, None], best.shape[1], 1)
        said = model.logits(examples, vectors, rows.ravel(), best.ravel()).numpy()
        said = said.reshape(best.shape)
        scores[rows, best] += said - said.min(1, keepdims=True)
    return scores
