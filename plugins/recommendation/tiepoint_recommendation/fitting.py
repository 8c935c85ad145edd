"""From events and catalogue to a model: fit the rankers, learn their weights, fit again on all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.errors import InputError
from tiepoint_recommendation.blending.blend import SEGMENTS, Blend
from tiepoint_recommendation.blending.learning import learned
from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.interactions import Cleaning, EventLog, event_log
from tiepoint_recommendation.item_space import ProductEncoder, Unreadable, item_space
from tiepoint_recommendation.model import Model
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker
from tiepoint_recommendation.rankers.loading import blended_names, build_ranker
from tiepoint_recommendation.saving import (
    digest_of,
    digest_of_ids,
    fresh_generation,
    remove_former,
    save_model,
)
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.splits import sampled, split_of
from tiepoint_recommendation.storage import forgotten
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore

Progress = Callable[[int, int | None], None]
_CHUNK = 512
_MOST_SCORES = 20_000_000
"""Weights are learned from so many queries that each ranker's scores take 80 MB at most."""
INNER = 1000
"""How far the seeds of inner splits are from those of outer ones, which must not be the same."""


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is made from.

    Attributes:
        log: The cleaned events; their items are numbered as those of the space.
        space: The items.
        cleaning: What was left out of the events.
        unreadable: Parts of products that could not be encoded.
        last_event: The number of the last event.
        digest: See `digest_of_log`.
    """

    log: EventLog
    space: ItemSpace
    cleaning: Cleaning
    unreadable: list[Unreadable]
    last_event: int
    digest: str


def digest_of_log(log: EventLog) -> str:
    """Return the SHA-256 of cleaned events, in hexadecimal; it is the same for the same events."""
    ids = digest_of_ids((*log.users, "", *log.items))
    return digest_of(ids, log.user, log.item, log.time_s, log.strength)


def read_data(
    database: Database,
    encoder: ProductEncoder,
    settings: FitSettings,
    progress: Progress | None = None,
) -> Data:
    """Read events and catalogue, and encode what has not been encoded yet.

    Raises:
        InputError: There are neither events nor products.
    """
    events, catalogue = EventStore(database), CatalogueStore(database)
    last_event = events.last_number()
    log, cleaning = event_log(events.all(until=last_event), settings.events)
    products = catalogue.all()
    if not len(log) and not products:
        raise InputError(
            "there is nothing to fit a model on",
            where=database.where,
            hint="Ingest events: tiepoint recommend ingest --events F --store DIR",
        )
    with encoder:
        vectors, unreadable = encoder.vectors(products, progress)
    space = item_space(products, vectors, log.items)
    digest = digest_of_log(log)
    return Data(in_space(log, space), space, cleaning, unreadable, last_event, digest)


def in_space(log: EventLog, space: ItemSpace) -> EventLog:
    """Return a log whose items are numbered as those of a space, which has all of them."""
    number_of = {id_: number for number, id_ in enumerate(space.ids)}
    numbers = np.array([number_of[id_] for id_ in log.items], np.int32)
    item = numbers[log.item] if len(log) else log.item
    return replace(log, items=space.ids, item=item)


def fit_model(
    log: EventLog,
    space: ItemSpace,
    settings: FitSettings,
    progress: Progress | None = None,
) -> Model:
    """Fit the rankers, with the blend's weights learned on a later part of the events.

    The rankers are fitted twice: without the part that the weights are learned from, and then
    on all events.
    """
    cap = settings.events.most_strength
    report = progress or (lambda done, total: None)
    blend = empty_blend(settings)
    learn = settings.blend.weights is None and len(log) > 0
    steps = (1 + learn) * len(blend.rankers)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        report(done, steps)

    if learn:
        whole = split_of(log, settings.blend.validation, cap, settings.seed + INNER)
        split = sampled(whole, max(_MOST_SCORES // len(space), 1), settings.seed)
        earlier = split.train.histories(_now(split.train), cap)
        inner = fitted_rankers(blend.rankers, settings, earlier, space, step)
        if len(split.asked):
            scores = {name: raw_scores(one, split.asked) for name, one in inner.items()}
            blend = learned(blend, scores, split)
    histories = log.histories(_now(log), cap)
    rankers = fitted_rankers(blend.rankers, settings, histories, space, step)
    return Model(space, rankers, blend)


def _now(log: EventLog) -> float:
    return float(log.time_s.max()) if len(log) else 0.0


def empty_blend(settings: FitSettings) -> Blend:
    """Return the blend before anything is learned: fixed weights, or equal ones."""
    section = settings.blend
    names = tuple(section.rankers or blended_names())
    weights = np.full(len(names), 1 / max(len(names), 1), np.float32)
    if section.weights is not None:
        weights = np.array([section.weights.get(name, 0.0) for name in names], np.float32)
    rows = np.tile(weights, (len(SEGMENTS), 1))
    return Blend(names, rows, section.light_from, section.heavy_from)


def fitted_rankers(
    names: tuple[str, ...],
    settings: FitSettings,
    histories: Histories,
    space: ItemSpace,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Ranker]:
    """Return rankers, fitted on these histories, by name."""
    rankers = {}
    for name in names:
        rankers[name] = build_ranker(name, settings.blend.rankers.get(name, {}))
        rankers[name].fit(histories, space)
        step()
    return rankers


def raw_scores(ranker: Ranker, histories: Histories) -> Floats:
    """Return (n, n_items) scores, computed in parts so that little memory is used at once."""
    return np.concatenate([ranker.scores(part) for part in histories.chunks(_CHUNK)])


def fit(
    database: Database,
    store: Path,
    encoder: ProductEncoder,
    settings: FitSettings,
    progress: Progress | None = None,
) -> tuple[Model, Data]:
    """Fit a model on all that a database has, save it, and make it the current one.

    To be called in a turn (see `fit_turn`). Where somebody had asked to be forgotten, the former
    models are removed then.

    Raises:
        InputError: There is nothing to fit on.
        StoreError: The database cannot be read.
    """
    wish = forgotten.unfinished(database)
    data = read_data(database, encoder, settings)
    model = fit_model(data.log, data.space, settings, progress)
    digest = data.digest
    named = replace(model, generation=fresh_generation(store, digest), last_event=data.last_event)
    save_model(named, store, figures_of(named), digest)
    if wish is not None:
        remove_former(store)
        forgotten.finished(database, wish)
    return named, data


def figures_of(model: Model) -> dict[str, Any]:
    """Return the weights of the blend by segment and ranker."""
    weights = {
        segment: dict(zip(model.blend.rankers, row, strict=True))
        for segment, row in zip(SEGMENTS, model.blend.weights.round(4).tolist(), strict=True)
    }
    return {"weights": weights}
