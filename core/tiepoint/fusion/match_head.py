"""A match head: looks at a query and an item together, and re-ranks the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from tiepoint.alignment.components import Components
from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.heads import gelu
from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.examples import FusionExamples
from tiepoint.fusion.fitted import FittedFusion, FusionOptions
from tiepoint.types import Contribution

MATCH = "match"
"""What the head's contribution is called among those of the routes."""


class MatchHeadOptions(FusionOptions):
    """Options of `MatchHeadFusion`.

    Attributes:
        depth: How many of the best candidates are re-ranked.
        negatives: Hard negatives for each relevant item in a step.
        components: Principal components of the vectors that the head takes.
        hidden: Width of the head's hidden layer.
        regularisation: Of the fixed weights that decide which candidates are the best.
        epochs: Passes over the labelled queries.
        batch: Queries in a step.
        learning_rate: Of AdamW, at its highest.
        weight_decay: Of the matrices.
        dropout: Share of inputs and hidden values that are left out in training.
        warmup: Share of the steps in which the learning rate rises.
        patience: Epochs without a better validation figure after which training stops.
    """

    depth: int = Field(default=50, ge=2, le=10_000)
    negatives: int = Field(default=16, ge=1, le=1024)
    components: int = Field(default=96, ge=1, le=4096)
    hidden: int = Field(default=128, ge=1, le=4096)
    regularisation: float = Field(default=1e-3, ge=0, allow_inf_nan=False)
    epochs: int = Field(default=4, ge=1)
    batch: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    warmup: float = Field(default=0.1, ge=0, le=1)
    patience: int = Field(default=3, ge=1)


class MatchHeadFusion(FittedFusion):
    """Adds to fixed learned weights what a small network says of a query and an item together.

    The principal components of the query's and of the item's vectors are joined (with their
    product, and with the routes' standings) and go through one hidden layer to log-odds; their
    sigmoid is the probability of a match, learned by binary cross-entropy against hard
    negatives: other candidates that stand high (Karpukhin et al., 2004.04906). The weighted sum
    of the routes is part of the log-odds, so the head learns what they miss.

    Only the best candidates of the weighted sum are looked at. Each has a last contribution,
    `match`: what the head adds to its log-odds, above the least that it adds to one of them, so
    that none falls below those that were not looked at.
    """

    method = "match-head"
    Options = MatchHeadOptions
    options: MatchHeadOptions
    needs_vectors = True
    takes_single_routes = True

    def learn(
        self, examples: FusionExamples, val: FusionExamples | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        from tiepoint.fusion.match_training import learned_match_head

        return learned_match_head(examples, val, self.options, settings)

    def prepare(self) -> None:
        self._weights = dict(zip(self.routes, self.tensors["weights"].tolist(), strict=True))
        self._compared = {
            name: Components(self.tensors[f"mean.{name}"], self.tensors[f"components.{name}"])
            for name in self.routes
            if f"joined.{name}" in self.tensors
        }

    def weigh(self, routes: Sequence[RouteScores]) -> list[float]:
        return [self._weights[route.route] for route in routes]

    def fuse(self, routes: Sequence[RouteScores]) -> list[tuple[Contribution, ...]]:
        shares = super().fuse(routes)
        scores = np.array([sum(c.value for c in share) for share in shares])
        best = np.argsort(-scores, kind="stable")[: self.options.depth].tolist()
        said = self.logits(routes, best)
        for position, logit in zip(best, said.tolist(), strict=True):
            value = logit - float(said.min())
            match = Contribution(MATCH, float(1 / (1 + np.exp(-logit))), value, 1.0, value)
            shares[position] = (*shares[position], match)
        return shares

    def logits(self, routes: Sequence[RouteScores], positions: Sequence[int]) -> Vectors:
        """Return (n,) what the head adds to the log-odds of some candidates.

        Args:
            routes: The query's routes.
            positions: Which of the candidates.
        """
        by_name = {route.route: route for route in routes}
        tensors, n = self.tensors, len(positions)
        standing = np.full((n, len(self.routes)), np.nan, np.float32)
        for column, name in enumerate(self.routes):
            if name in by_name:
                standing[:, column] = by_name[name].standardised[list(positions)]
        hidden = np.broadcast_to(tensors["bias"], (n, len(tensors["bias"]))).copy()
        hidden += standing_inputs(standing) @ tensors["standing"]
        for name, components in self._compared.items():
            route = by_name.get(name)
            if route is None or route.query is None or route.stored is None:
                continue
            query = components(route.query[None])
            items = components(route.stored(positions))
            hidden += joined_inputs(query, items) @ tensors[f"joined.{name}"]
        return np.asarray(gelu(hidden) @ tensors["output"], np.float32)


def joined_inputs(queries: Vectors, items: Vectors) -> Vectors:
    """Return (n, 3 k) components of query and item and their product; 0 where one is missing.

    Args:
        queries: (n, k) or (1, k), NaN where a query does not take the route.
        items: (n, k), NaN where an item has no vector.
    """
    product = queries * items
    joined = np.concatenate([np.broadcast_to(queries, items.shape), items, product], 1)
    return np.asarray(np.where(np.isnan(product[:, :1]), 0, joined), np.float32)


def standing_inputs(standing: Vectors) -> Vectors:
    """Return (n, 2 r) standings, 0 where unknown, and whether they are known."""
    known = ~np.isnan(standing)
    return np.concatenate([np.where(known, standing, 0) / 4, known], 1).astype(np.float32)
