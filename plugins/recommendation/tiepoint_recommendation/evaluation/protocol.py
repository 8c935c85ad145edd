"""A protocol from beginning to end: split, fit, ask, and compare on the same queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import InputError
from tiepoint_recommendation.blending.blend import SEGMENTS
from tiepoint_recommendation.evaluation.answering import Scorer, answer
from tiepoint_recommendation.evaluation.figures import (
    PER_QUERY,
    Answers,
    averaged,
    interval,
    of_list,
    paired,
    per_query,
)
from tiepoint_recommendation.evaluation.peers import tuned_peers
from tiepoint_recommendation.fitting import INNER, figures_of, fit_model
from tiepoint_recommendation.interactions import EventLog
from tiepoint_recommendation.model import Model
from tiepoint_recommendation.rankers.base import ItemSpace
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.splits import Split, split_of

BLEND = "blend"
COLD_SEEDS = (0, 1, 2)
TIE_RULE = (
    "events of one user with equal times are ordered by a hash of the two ids, which depends on"
    " nothing else"
)


@dataclass(slots=True)
class System:
    """What one system did on all queries.

    Attributes:
        name: `blend`, a ranker's name, or a peer's.
        answers: Of each split.
        values: (q,) by figure, over all splits.
        lists: What the lists are like apart from being right.
        setting: A peer's options that were best on the inner part.
    """

    name: str
    answers: list[Answers]
    values: dict[str, NDArray[np.float64]]
    lists: dict[str, float]
    setting: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Measured:
    """All systems on the same queries.

    Attributes:
        protocol: Which.
        splits: The splits, of which `strict-cold` has three.
        users: (q,) whose query each is.
        segments: (q,) the segment that the blend takes the user for.
        systems: By name, the blend first.
        weights: The blend's, by split, segment and ranker.
        fit_seconds: Mean time of fitting all rankers and learning their weights.
        items: Ids of the items.
        names: Ids of the users.
    """

    protocol: str
    splits: list[Split]
    users: NDArray[np.int64]
    segments: NDArray[np.int64]
    systems: dict[str, System]
    weights: list[dict[str, dict[str, float]]]
    fit_seconds: float
    items: tuple[str, ...]
    names: tuple[str, ...]


def measure(
    log: EventLog,
    space: ItemSpace,
    settings: FitSettings,
    protocol: str,
    *,
    peers: bool = False,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Measured:
    """Fit on the training part of a protocol's splits, and rank for their queries.

    The blend's weights are learned on a split of the same kind within the training part.

    Args:
        log: All events.
        space: The items.
        settings: The rankers and their options.
        protocol: One of `PROTOCOLS`.
        peers: Whether peers are fitted and asked, too.
        progress: Called with the steps done and their number.

    Raises:
        InputError: There are too few events to ask anything.
    """
    cap = settings.events.most_strength
    seeds = COLD_SEEDS if protocol == "strict-cold" else (settings.seed,)
    splits = [split_of(log, protocol, cap, seed) for seed in seeds]
    if not all(len(split.asked) for split in splits):
        raise InputError(
            "there are too few events to measure anything",
            where=protocol,
            hint="Ingest more: users need two items at least, and some events must be later.",
        )
    own = settings.model_copy(
        update={"blend": settings.blend.model_copy(update={"validation": protocol})}
    )
    answers: dict[str, list[Answers]] = {}
    options: dict[str, dict[str, Any]] = {}
    models, seconds = [], 0.0
    for number, split in enumerate(splits):
        started = perf_counter()
        model = fit_model(split.train, space, own)
        seconds += perf_counter() - started
        models.append(model)
        scorers = _own_scorers(model, split)
        if peers:
            inner = split_of(split.train, protocol, cap, settings.seed + INNER)
            for peer in tuned_peers(split, inner, cap):
                scorers[peer.name] = peer.scorer
                options[peer.name] = peer.setting
        for name, scorer in scorers.items():
            answers.setdefault(name, []).append(answer(split, scorer, space.offered))
        progress(number + 1, len(splits))
    vectors = space.vectors.get("fused")
    systems = {
        name: _system(name, some, splits, vectors, options.get(name, {}))
        for name, some in answers.items()
    }
    lengths = np.concatenate([split.asked.lengths for split in splits])
    return Measured(
        protocol,
        splits,
        np.concatenate([split.users for split in splits]),
        models[0].blend.segments(lengths),
        systems,
        [figures_of(model)["weights"] for model in models],
        seconds / len(splits),
        space.ids,
        log.users,
    )


def _own_scorers(model: Model, split: Split) -> dict[str, Scorer]:
    gallery = None if split.gallery.all() else split.gallery
    scorers: dict[str, Scorer] = {BLEND: lambda asked: model.score(asked, gallery).total}
    for name, ranker in model.rankers.items():
        scorers[name] = ranker.scores
    return scorers


def _system(
    name: str,
    answers: list[Answers],
    splits: list[Split],
    vectors: NDArray[np.float32] | None,
    setting: dict[str, Any],
) -> System:
    found = [per_query(one) for one in answers]
    lists = []
    for one, split in zip(answers, splits, strict=True):
        train = split.train
        pairs = np.unique(np.stack([train.user, train.item]), axis=1)
        popularity = np.bincount(pairs[1], minlength=len(train.items)).astype(np.float64)
        lists.append(of_list(one, popularity, vectors))
    values = {figure: np.concatenate([one[figure] for one in found]) for figure in PER_QUERY}
    return System(name, answers, values, averaged(lists), setting)


def report(measured: Measured) -> dict[str, Any]:
    """Return all figures as data: those of the blend, of each system, and the comparisons."""
    systems = {name: _figures(one, measured) for name, one in measured.systems.items()}
    blend = measured.systems[BLEND]
    against = {
        name: {
            figure: _comparison(blend.values[figure], one.values[figure], measured.users)
            for figure in ("Recall@20", "NDCG@10")
        }
        for name, one in measured.systems.items()
        if name != BLEND
    }
    figures = {name: one["value"] for name, one in systems[BLEND]["figures"].items()}
    return {
        "protocol": measured.protocol,
        "splits": [split.note for split in measured.splits],
        "ties": TIE_RULE,
        "queries": len(measured.users),
        "users": len(np.unique(measured.users)),
        **figures,
        **systems[BLEND]["lists"],
        "fit_seconds": round(measured.fit_seconds, 3),
        "systems": systems,
        "against": against,
        "weights": measured.weights,
    }


def _figures(system: System, measured: Measured) -> dict[str, Any]:
    whole = {}
    for name, values in system.values.items():
        one = interval(values, measured.users)
        whole[name] = {"value": one.value, "low": one.low, "high": one.high}
    segments: dict[str, Any] = {}
    for number, segment in enumerate(SEGMENTS):
        own = measured.segments == number
        if own.any():
            segments[segment] = {
                "users": len(np.unique(measured.users[own])),
                **{
                    name: interval(system.values[name][own], measured.users[own]).value
                    for name in PER_QUERY
                },
            }
    result = {"figures": whole, "lists": system.lists, "segments": segments}
    if system.setting:
        result["setting"] = system.setting
    return result


def _comparison(
    first: NDArray[np.float64], second: NDArray[np.float64], users: NDArray[np.int64]
) -> dict[str, list[float]]:
    found = paired(first, second, users)
    return {
        name: [one.value, one.low, one.high]
        for name, one in (("difference", found.difference), ("ratio", found.ratio))
    }
