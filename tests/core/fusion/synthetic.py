"""Labelled queries in which one route sees only some of them well."""

from __future__ import annotations

import numpy as np

from tiepoint.fusion.base import RouteScores
from tiepoint.fusion.collecting import ExampleCollector

FINGERPRINTS = {"text->image": "aligner-1", "words->text": "bm25", "text->text": "encoder-1"}
GALLERY = 60
DIM = 8


def examples(n=400, seed=0, *, vectors=False, missing=0.0):
    """n queries over 40 candidates of 60 items, three routes.

    Half of the queries are of one kind, in which `text->image` knows the wanted item and
    `words->text` does not; in the other half it is the other way round. The query's vector says
    which. `text->text` is noise.
    """
    random = np.random.default_rng(seed)
    items = unit(np.random.default_rng(99).normal(size=(GALLERY, DIM)))
    collector = ExampleCollector(FINGERPRINTS, GALLERY, vectors=vectors)
    for number in range(n):
        kind = number % 2
        pool = random.permutation(GALLERY)[:40]
        wanted = int(pool[random.integers(40)])
        right = pool == wanted
        query = unit(items[wanted] + random.normal(0, 0.25, DIM))
        asked_by = np.concatenate([query, [2.0 * (kind * 2 - 1)]])
        routes = []
        for column, name in enumerate(FINGERPRINTS):
            scores = random.normal(size=40).astype(np.float32)
            if column == kind:
                scores[right] += 4.0
            elif column == 1 - kind:
                # What does not know the query is sure of something else.
                scores[random.integers(40)] += 3.0
            if name == "words->text":
                scores[random.random(40) < 0.2] = np.nan
            if random.random() < missing and routes:
                continue
            lookup = (
                (lambda positions, p=pool: padded(items[p[positions]])) if column != 1 else None
            )
            routes.append(
                RouteScores(
                    name,
                    scores * 3 + 1,
                    1.0,
                    3.0,
                    unit(asked_by).astype(np.float32) if column != 1 else None,
                    lookup,
                )
            )
        collector.add([f"item {i}" for i in pool], routes, {f"item {wanted}"})
    return collector.finish()


def padded(vectors):
    return np.concatenate([vectors, np.zeros((len(vectors), 1))], 1).astype(np.float32)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)
