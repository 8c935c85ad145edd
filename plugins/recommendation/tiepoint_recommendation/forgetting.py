"""What a user did, gone from data and models, and the proof of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tiepoint_recommendation.fitting import Progress, digest_of_log, fit
from tiepoint_recommendation.interactions import event_log
from tiepoint_recommendation.item_space import ProductEncoder
from tiepoint_recommendation.live import tables
from tiepoint_recommendation.live.impressions import ImpressionStore
from tiepoint_recommendation.saving import current_generation, read_card, remove_former
from tiepoint_recommendation.settings import FitSettings
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.turns import fit_turn


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found when it was looked for.

    Attributes:
        events: Events of the user that are still there.
        generation: The model that serves; None where there is none.
        model_matches: Whether the model was fitted on just the events that are there now, up
            to the last one that it has seen; true where there is no model.
        former: Former models that are still there.
    """

    events: int
    generation: str | None
    model_matches: bool
    former: int

    @property
    def holds(self) -> bool:
        """Whether nothing of the user is left."""
        return self.events == 0 and self.model_matches and self.former == 0


def forget(
    database: Database,
    store: Path,
    user: str,
    encoder: ProductEncoder,
    settings: FitSettings,
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Remove all that a user did and was shown, and fit the model again without it.

    Returns:
        How many events and impressions there were.

    Raises:
        StoreError: The database refused.
    """
    database.ensure(tables.metadata)
    events = EventStore(database)
    removed = events.forget(user)
    shown = ImpressionStore(database).forget(user)
    database.erase_traces()
    if current_generation(store) is not None:
        with fit_turn(store, wait=True):  # else a fit that has read before could end after
            if events.count():
                fit(database, store, encoder, settings, progress)
            remove_former(store, also_current=not events.count())
    return removed, shown


def prove(database: Database, store: Path, user: str, settings: FitSettings) -> Proof:
    """Look for what is left of a user.

    The model's card holds a digest of the events that it was fitted on; the digest of the
    events that are there now, up to the last one it has seen, must be the same.
    """
    events = EventStore(database)
    generation = current_generation(store)
    matches, former = True, 0
    if generation is not None:
        card = read_card(store)
        log, _ = event_log(events.all(until=card.last_event), settings.events)
        matches = digest_of_log(log) == card.data
        folders = [one for one in (store / "models").iterdir() if one.is_dir()]
        former = sum(one.name != generation for one in folders)
    return Proof(events.count_of(user), generation, matches, former)
