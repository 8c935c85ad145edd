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
from tiepoint_recommendation.storage import forgotten
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.turns import fit_turn


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found when it was looked for.

    Attributes:
        events: Events of the user that are still there.
        impressions: What was shown to the user, also in the user's sessions, and is still there.
        generation: The model that serves; None where there is none.
        model_matches: Whether the model was fitted on just the events that are there now, up
            to the last one that it has seen; true where there is no model.
        former: Former models that are still there.
        unfinished: Whether a wish to be forgotten was cut short, this one or another.
    """

    events: int
    impressions: int
    generation: str | None
    model_matches: bool
    former: int
    unfinished: bool

    @property
    def holds(self) -> bool:
        """Whether nothing of the user is left."""
        left = self.events + self.impressions + self.former
        return left == 0 and self.model_matches and not self.unfinished


def forget(
    database: Database,
    store: Path,
    user: str,
    encoder: ProductEncoder,
    settings: FitSettings,
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Remove all that a user did and was shown, and fit the model again without it.

    A kill before its end leaves the wish noted; the next fit, or a service that starts, ends it.

    Returns:
        How many events and impressions there were.

    Raises:
        StoreError: The database refused.
    """
    removed = remove(database, user)
    finish(database, store, encoder, settings, progress)
    return removed


def remove(database: Database, user: str) -> tuple[int, int]:
    """Remove all that a user did and was shown, also in sessions; models do not follow yet.

    Returns:
        How many events and impressions there were.

    Raises:
        StoreError: The database refused; nothing was removed.
    """
    database.ensure(tables.metadata)
    events, impressions = EventStore(database), ImpressionStore(database)
    with database.writing() as session:
        connection = session.connection()
        removed, sessions = events.remove(connection, user)
        shown = impressions.remove(connection, [user, *sessions])
    return removed, shown


def finish(
    database: Database,
    store: Path,
    encoder: ProductEncoder,
    settings: FitSettings,
    progress: Progress | None = None,
) -> None:
    """Overwrite what was removed, and make the models follow.

    Raises:
        StoreError: The database refused; the wish stays noted.
    """
    database.erase_traces()
    with fit_turn(store, wait=True):  # else a fit that has read before could end after
        mark = forgotten.unfinished(database)
        if mark is None:
            return  # another process was quicker
        if current_generation(store) is not None and EventStore(database).count():
            fit(database, store, encoder, settings, progress)
        else:
            remove_former(store, also_current=True)
            forgotten.finished(database, mark)


def prove(database: Database, store: Path, user: str, settings: FitSettings) -> Proof:
    """Look for what is left of a user.

    The model's card holds a digest of the events that it was fitted on; the digest of the
    events that are there now, up to the last one it has seen, must be the same.
    """
    database.ensure(tables.metadata)
    events, impressions = EventStore(database), ImpressionStore(database)
    shown = impressions.count_of({user, *events.sessions_of(user)})
    if events.is_forgotten(user):  # whose sessions are known by their digests only
        shown = max(shown, impressions.count_of_forgotten())
    generation = current_generation(store)
    matches, former = True, 0
    if generation is not None:
        card = read_card(store)
        log, _ = event_log(events.all(until=card.last_event), settings.events)
        matches = digest_of_log(log) == card.data
        folders = [one for one in (store / "models").iterdir() if one.is_dir()]
        former = sum(one.name != generation for one in folders)
    cut_short = forgotten.unfinished(database) is not None
    return Proof(events.count_of(user), shown, generation, matches, former, cut_short)
