"""How attention over routes is learned, with torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pairs import Rows
from tiepoint.alignment.trainer import Trainable, train
from tiepoint.evaluation.retrieval import recalls
from tiepoint.fusion.attention import AttentionOptions, TokenInputs
from tiepoint.fusion.examples import FusionExamples
from tiepoint.fusion.learned_weights import learned_weights

_SMALLEST_SHARE = 1e-3
"""A route without a fixed weight starts with this share, so that attention can find it."""


class RouteAttention(Trainable):
    """Attention over routes in training; it starts from fixed weights.

    Args:
        examples: The labelled queries.
        inputs: (q, r, f) float32 what their tokens are made from.
        weights: (r,) where the training starts.
        options: Of the fusion.
        seed: Of the initial matrices.
    """

    def __init__(
        self,
        examples: FusionExamples,
        inputs: TokenInputs,
        weights: np.ndarray[tuple[int], np.dtype[np.float64]],
        options: AttentionOptions,
        seed: int,
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self._data = QueryTensors(examples, inputs)
        self._dropout = options.route_dropout
        n, width = len(weights), options.width
        features = self._data.inputs.shape[2]
        self.token = nn.Parameter(torch.randn(n, features, width) / np.sqrt(features))
        self.token_bias = nn.Parameter(torch.zeros(n, width))
        # No query is attended by at first: the weights are the fixed ones.
        self.query = nn.Parameter(torch.zeros(width, width))
        self.key = nn.Parameter(torch.randn(width, width) / np.sqrt(width))
        shares = np.maximum(weights / weights.sum(), _SMALLEST_SHARE)
        self.bias = nn.Parameter(torch.from_numpy(np.log(shares).astype(np.float32)))
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(weights.sum()))))

    def weights(self, inputs: Tensor, asked: Tensor) -> Tensor:
        """Return (n, r) weights, 0 for a route that does not take part.

        Args:
            inputs: (n, r, f).
            asked: (n, r) bool, at least one in each row.
        """
        tokens = torch.tanh(torch.einsum("nrf,rfw->nrw", inputs, self.token) + self.token_bias)
        present = asked[:, :, None]
        mean = (tokens * present).sum(1) / present.sum(1)
        attended = torch.einsum("nw,nrw->nr", mean @ self.query, tokens @ self.key)
        logits = attended / np.sqrt(tokens.shape[2]) + self.bias
        shares: Tensor = logits.masked_fill(~asked, -torch.inf).softmax(1)
        return self.log_scale.exp() * shares

    def loss(self, links: Rows) -> Tensor:
        rows, columns = torch.from_numpy(links).unbind(1)
        data = self._data
        asked = self._hidden(data.asked[rows])
        weights = self.weights(data.inputs[rows], asked)
        scores = torch.einsum("ncr,nr->nc", data.standing[rows], weights)
        right = scores.gather(1, columns[:, None])[:, 0]
        rivals = scores.masked_fill(~data.rivals[rows], -torch.inf).logsumexp(1)
        return nn.functional.softplus(rivals - right).mean()

    def scores(self, data: QueryTensors) -> Tensor:
        """Return (q, c) fused scores of labelled queries."""
        return torch.einsum("ncr,nr->nc", data.standing, self.weights(data.inputs, data.asked))

    def _hidden(self, asked: Tensor) -> Tensor:
        """Hide routes at random, but never all of a query's."""
        if not self._dropout:
            return asked
        kept = asked & (torch.rand(asked.shape) >= self._dropout)
        return torch.where(kept.any(1, keepdim=True), kept, asked)

    def tensors(self) -> Tensors:
        """Return the learned parameters as plain arrays by name."""
        return {
            name: parameter.detach().numpy().copy() for name, parameter in self.named_parameters()
        }


class QueryTensors:
    """Labelled queries as tensors.

    Attributes:
        standing: (q, c, r).
        inputs: (q, r, f).
        asked: (q, r) bool.
        rivals: (q, c) bool: candidates that are not relevant.
    """

    def __init__(self, examples: FusionExamples, inputs: TokenInputs) -> None:
        self.standing = torch.from_numpy(examples.known_standing())
        self.inputs = torch.from_numpy(inputs.of_all(examples))
        self.asked = torch.from_numpy(examples.asked)
        self.rivals = torch.from_numpy(examples.rivals)


def learned_attention(
    examples: FusionExamples,
    val: FusionExamples | None,
    options: AttentionOptions,
    settings: FitSettings,
) -> tuple[Tensors, list[Mapping[str, float]]]:
    """Return the parameters of `AttentionFusion`, and the figures of every epoch.

    Raises:
        InputError: Queries that nothing can be learned from.
    """
    inputs = TokenInputs.fit(examples, options.components)
    weights = learned_weights(examples, options.regularisation)
    model = RouteAttention(examples, inputs, weights, options, settings.seed)
    held_out = QueryTensors(val, inputs) if val is not None else None

    def figures() -> Mapping[str, float]:
        if val is None or held_out is None:
            return {}
        return {"rsum": sum(recalls(val.ranks(model.scores(held_out).numpy())).values())}

    key = f"attention {options.model_dump_json()} {examples.data_hash}"
    history = train(
        model, [examples.links], options, settings, key, figures if val is not None else None
    )
    return model.tensors() | inputs.tensors(examples.routes), history
