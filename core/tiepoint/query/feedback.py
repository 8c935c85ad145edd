"""Relevance feedback: more like these items, less like those.

Rocchio's method (The SMART Retrieval System, 1971) moves a query to alpha q + beta (mean of the
relevant) - gamma (mean of the others). The inner product is linear, so adding what the means
score is the same as moving the query; and scores, unlike vectors, can be standardised per field
before they are added, which keeps pictures' high cosines among themselves from drowning what a
text says. So each mean becomes a route of its own, which also proposes items and shows in the
explanation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiepoint.config.collections import Metric
from tiepoint.encoders.base import Vectors
from tiepoint.errors import QueryError
from tiepoint.index.base import Searcher
from tiepoint.index.filters import Filter
from tiepoint.query.probes import Probe, WordProbe
from tiepoint.routes import Layout

_LEAST_NORM = 1e-6


class Feedback:
    """Turns items of a collection into probes for their likes.

    Args:
        layout: The collection's fields.
        searcher: Where the items are.
    """

    def __init__(self, layout: Layout, searcher: Searcher) -> None:
        self._layout = layout
        self._searcher = searcher
        self._exists = Filter.parse("exists id", {})

    def read(self, ids: Sequence[str], prefix: str) -> tuple[list[Probe], list[WordProbe]]:
        """Return probes for what these items have in common.

        A field is asked in its own space by the mean of the items' vectors there; one in which
        none of them has a part, in the joint space by the mean of their other parts. Where
        there are no vectors at all, the items' words are asked for.

        Args:
            ids: The items.
            prefix: What the routes are called, before `->` and the field.

        Raises:
            QueryError: There is no such item.
        """
        self._require(ids, prefix)
        probes = [*self._own(ids, prefix), *self._through_joint_space(ids, prefix)]
        if probes or not self._layout.schema.texts:
            return probes, []
        kept = [parts for _, parts in self._searcher.payloads(ids)]
        texts = {
            field: " ".join(parts[field] for parts in kept if field in parts)
            for field in self._layout.schema.texts
        }
        return [], [WordProbe(f"{prefix}->{f}", f, text) for f, text in texts.items() if text]

    def _require(self, ids: Sequence[str], what: str) -> None:
        there = self._searcher.matches(self._exists, ids)
        absent = [id_ for id_, known in zip(ids, there, strict=True) if not known]
        if absent:
            raise QueryError(
                f"there is no item {absent[0]!r:.80}", where=what, hint="Give ids of hits."
            )

    def _own(self, ids: Sequence[str], prefix: str) -> list[Probe]:
        stored = {vector.name: vector for vector in self._layout.schema.vectors}
        means = {
            name: _mean([self._searcher.vectors(name, ids)], stored[name].metric)
            for name in self._layout.fields
            if name in stored
        }
        return [
            Probe(f"{prefix}->{name}", name, mean)
            for name, mean in means.items()
            if mean is not None
        ]

    def _through_joint_space(self, ids: Sequence[str], prefix: str) -> list[Probe]:
        joint = {vector.name for vector in self._layout.joint_fields()}
        if not joint:
            return []
        targets = {
            field.name: field.joint or field.name
            for field in self._layout.fields.values()
            if (field.joint or field.name) in joint
        }
        stored = {name: self._searcher.vectors(target, ids) for name, target in targets.items()}
        mean = _mean(list(stored.values()), "cosine")
        if mean is None:
            return []
        return [
            Probe(f"{prefix}->{name}", targets[name], mean)
            for name, vectors in stored.items()
            if np.isnan(vectors[:, 0]).all()
        ]


def _mean(fields: Sequence[Vectors], metric: Metric) -> Vectors | None:
    """Return the mean of all vectors that are there, None without any; for cosine, of length 1."""
    vectors = np.concatenate(fields)
    vectors = vectors[~np.isnan(vectors[:, 0])]
    if not len(vectors):
        return None
    mean = vectors.mean(axis=0)
    if metric != "cosine":
        return np.asarray(mean, np.float32)
    norm = float(np.linalg.norm(mean))
    return None if norm < _LEAST_NORM else np.asarray(mean / norm, np.float32)
