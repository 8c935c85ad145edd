"""A simulated shop in a store of its own, with vectors that need no network."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from tiepoint.config.models import Deployment
from tiepoint.embedded import embedded_deployment
from tiepoint_recommendation.fitting import fit
from tiepoint_recommendation.live.settings import LiveSettings
from tiepoint_recommendation.service import RecommendationService
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.simulation.catalogue import BRANDS, COLOURS, KINDS, PATTERNS
from tiepoint_recommendation.simulation.shop import Shop
from tiepoint_recommendation.storage.catalogue import CatalogueStore
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.types import Event, Product


class TagEncoder:
    """Vectors that count tags; brands stand in the words only."""

    def __enter__(self) -> TagEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def vectors(self, products, progress=None):
        names = [*KINDS, *COLOURS, *PATTERNS]
        looks = np.array([[name in one.tags for name in names] for one in products], np.float32)
        brands = np.array([[0.5 * (one.brand == name) for name in BRANDS] for one in products])
        words = np.hstack([looks, brands])
        return {"text": unit(words), "image": unit(looks), "fused": unit(words)}, []


def unit(x):
    return (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def products_of(shop: Shop) -> list[Product]:
    return [
        Product(
            one.id,
            one.title,
            one.description,
            one.tags,
            price=one.price,
            stock=one.stock,
            brand=one.brand,
            category=one.kind,
            added_s=one.added_s,
        )
        for one in shop.items
    ]


def events_of(shop: Shop) -> list[Event]:
    return [Event(one.user, one.item, one.event, one.timestamp, one.session) for one in shop.events]


def fill(shop: Shop, store: Path, url: str | None = None) -> None:
    """Put a shop into a store, and fit a model."""
    database = Database.of_store(store, url)
    CatalogueStore(database).put(products_of(shop))
    EventStore(database).append(events_of(shop))
    fit(database, store, TagEncoder(), FitSettings())
    database.close()


def copied(filled: Path, to: Path) -> Path:
    shutil.copytree(filled, to)
    return to


def deployment(folder: Path) -> Deployment:
    return embedded_deployment(folder / "collection", "fast", None)


def service_of(store: Path, url: str | None = None, **live) -> RecommendationService:
    """Return a service that takes no time for anything but what it is asked."""
    return RecommendationService(store, deployment(store), LiveSettings(**live), FitSettings(), url)
