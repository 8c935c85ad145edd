"""Attention over routes: how much each counts depends on the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import Field

from tiepoint.alignment.components import Components
from tiepoint.alignment.fitted import Tensors
from tiepoint.alignment.fitting import FitSettings
from tiepoint.encoders.base import Vectors
from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.examples import FusionExamples
from tiepoint.fusion.features import FEATURES, query_features
from tiepoint.fusion.fitted import FittedFusion, FusionOptions


class AttentionOptions(FusionOptions):
    """Options of `AttentionFusion`.

    Attributes:
        width: Of the tokens, one for each route.
        components: Principal components of a route's query vector that its token takes; 0 for
            the features of its answer alone.
        regularisation: Of the fixed weights that the training starts from.
        epochs: Passes over the labelled queries.
        batch: Queries in a step.
        learning_rate: Of AdamW, at its highest.
        weight_decay: Of the matrices.
        route_dropout: Probability with which a route is hidden in training, so that the
            weights of the others are learned for queries that lack it.
        warmup: Share of the steps in which the learning rate rises.
        patience: Epochs without a better validation figure after which training stops.
    """

    width: int = Field(default=16, ge=1, le=1024)
    components: int = Field(default=16, ge=0, le=1024)
    regularisation: float = Field(default=1e-3, ge=0, allow_inf_nan=False)
    epochs: int = Field(default=12, ge=1)
    batch: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    route_dropout: float = Field(default=0.05, ge=0, lt=1)
    warmup: float = Field(default=0.1, ge=0, le=1)
    patience: int = Field(default=5, ge=1)


class AttentionFusion(FittedFusion):
    """Adds weight x standardised similarity, with weights that attention makes for the query.

    Every route that takes part is a token: the features of its answer (how far its best
    candidate stands out, and the like) and the query's vector. A query token, the mean of
    them, attends to the routes by scaled dot products (Vaswani et al., 1706.03762); routes
    that do not take part are masked out. Training starts from fixed learned weights, and
    moves away from them as far as the queries ask for it.
    """

    method = "attention"
    Options = AttentionOptions
    options: AttentionOptions

    def learn(
        self, examples: FusionExamples, val: FusionExamples | None, settings: FitSettings
    ) -> tuple[Tensors, list[Mapping[str, float]]]:
        from tiepoint.fusion.attention_training import learned_attention

        return learned_attention(examples, val, self.options, settings)

    def prepare(self) -> None:
        self._inputs = TokenInputs.restored(self.tensors, self.routes)
        self._column = {route: column for column, route in enumerate(self.routes)}

    def weigh(self, routes: Sequence[RouteScores]) -> list[float]:
        tensors = self.tensors
        columns = [self._column[route.route] for route in routes]
        given = np.stack(
            [
                self._inputs.of(column, features, route.query)
                for column, features, route in zip(
                    columns, query_features(routes), routes, strict=True
                )
            ]
        )
        drawn = np.einsum("rf,rfw->rw", given, tensors["token"][columns])
        tokens = np.tanh(drawn + tensors["token_bias"][columns])
        query, keys = tokens.mean(0) @ tensors["query"], tokens @ tensors["key"]
        logits = keys @ query / np.sqrt(len(query)) + tensors["bias"][columns]
        shares = np.exp(logits - logits.max())
        weights = np.exp(tensors["log_scale"]) * shares / shares.sum()
        return [float(weight) for weight in weights]


@dataclass(frozen=True)
class TokenInputs:
    """What a route's token is made from: standardised features and components of the query.

    Attributes:
        mean: (r, 8) float32 of the features.
        scale: (r, 8) float32, what they are multiplied by.
        components: Of the routes' query vectors, by column; absent for words.
        width: How many components a token takes.
    """

    mean: Vectors
    scale: Vectors
    components: Mapping[int, Components]
    width: int

    @classmethod
    def fit(cls, examples: FusionExamples, components: int) -> Self:
        """Fit on labelled queries; each route on those in which it takes part."""
        mean = np.zeros((len(examples.routes), len(FEATURES)), np.float32)
        scale = np.ones_like(mean)
        found = {}
        for column, route in enumerate(examples.routes):
            there = examples.asked[:, column]
            features = examples.features[there, column]
            mean[column] = features.mean(0)
            scale[column] = 1 / np.maximum(features.std(0), 1e-3)
            vectors = examples.queries.get(route)
            if vectors is not None and components:
                fitted = Components.fit(vectors[there], components)
                if fitted(vectors[there]).any():  # not where all queries have the same vector
                    found[column] = fitted.scaled_to(vectors[there])
        return cls(mean, scale, found, components)

    def of(self, column: int, features: Vectors, query: Vectors | None) -> Vectors:
        """Return (8 + width,) float32 of one route's answer to one query."""
        made = np.zeros(len(FEATURES) + self.width, np.float32)
        made[: len(FEATURES)] = (features - self.mean[column]) * self.scale[column]
        fitted = self.components.get(column)
        if fitted is not None and query is not None:
            drawn = fitted(query[None])[0]
            made[len(FEATURES) : len(FEATURES) + len(drawn)] = drawn
        return made

    def of_all(self, examples: FusionExamples) -> Vectors:
        """Return (q, r, 8 + width) float32 of labelled queries."""
        shape = (*examples.asked.shape, len(FEATURES) + self.width)
        made = np.zeros(shape, np.float32)
        made[:, :, : len(FEATURES)] = (examples.features - self.mean) * self.scale
        for column, fitted in self.components.items():
            drawn = fitted(examples.queries[examples.routes[column]])
            made[:, column, len(FEATURES) : len(FEATURES) + drawn.shape[1]] = drawn
        return made

    def tensors(self, routes: Sequence[str]) -> Tensors:
        """Return the arrays by name, as `restored` takes them."""
        named: Tensors = {
            "feature_mean": self.mean,
            "feature_scale": self.scale,
        }
        for column, fitted in self.components.items():
            named[f"components_mean.{routes[column]}"] = fitted.mean
            named[f"components.{routes[column]}"] = fitted.matrix
        return named

    @classmethod
    def restored(cls, tensors: Tensors, routes: Sequence[str]) -> Self:
        """Make it from named arrays.

        Raises:
            KeyError: A tensor is missing.
        """
        return cls(
            tensors["feature_mean"],
            tensors["feature_scale"],
            {
                column: Components(
                    tensors[f"components_mean.{route}"], tensors[f"components.{route}"]
                )
                for column, route in enumerate(routes)
                if f"components.{route}" in tensors
            },
            tensors["token"].shape[1] - len(FEATURES),
        )
