"""Models on disk: safetensors and a card, each generation in a folder, the current one named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.cards import SavedCard, SavedFit, sha256
from tiepoint.errors import InputError
from tiepoint.saving import replace_together
from tiepoint_recommendation.blending.blend import Blend
from tiepoint_recommendation.item_space import vectors_state
from tiepoint_recommendation.model import Model
from tiepoint_recommendation.rankers.base import ItemSpace
from tiepoint_recommendation.rankers.loading import build_ranker

_MODELS, _CURRENT = "models", "current"


class ModelCard(SavedCard):
    """What stands beside a model's tensors.

    Attributes:
        generation: Names the fit.
        last_event: The number of the last event that was seen.
        items: Ids of the items, in their order.
        rankers: The options of each ranker, by name.
        blend: The rankers' order, the segments' bounds.
        figures: What was measured on the validation part.
        data: SHA-256 of the cleaned events that it was fitted on; tells no user.
        sha256: Of the tensors' file.
    """

    generation: str
    last_event: int
    items: list[str]
    rankers: dict[str, dict[str, Any]]
    blend: dict[str, int]
    figures: dict[str, Any]
    data: str
    sha256: str


SAVED = SavedFit(
    "model", ModelCard, "card.json", "model.safetensors", "Fit one: tiepoint recommend fit."
)


def save_model(model: Model, store: Path, figures: Mapping[str, Any], data: str) -> Path:
    """Write a model as a generation of its own, and make it the current one.

    A kill at any time leaves the former one current. The generation before it stays, for
    processes that still read it; older ones are removed.

    Returns:
        The generation's folder.
    """
    from safetensors.numpy import save

    arrays = {f"space.{name}": array for name, array in vectors_state(model.space).items()}
    for name, ranker in model.rankers.items():
        arrays |= {f"ranker.{name}.{key}": array for key, array in ranker.state().items()}
    arrays["blend.weights"] = model.blend.weights
    content = save({name: _saveable(array) for name, array in arrays.items()})
    card = ModelCard(
        generation=model.generation,
        last_event=model.last_event,
        items=list(model.space.ids),
        rankers={
            name: ranker.options.model_dump(mode="json") for name, ranker in model.rankers.items()
        },
        blend={"light_from": model.blend.light_from, "heavy_from": model.blend.heavy_from},
        figures=dict(figures),
        data=data,
        sha256=sha256(content),
    )
    folder = store / _MODELS / model.generation
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    SAVED.write(folder, card, content)
    former = current_generation(store)
    replace_together({store / _MODELS / _CURRENT: model.generation.encode()})
    for one in (store / _MODELS).iterdir():
        if one.is_dir() and one.name not in (former, model.generation):
            shutil.rmtree(one, ignore_errors=True)
    return folder


def current_generation(store: Path) -> str | None:
    """Return the name of the generation that serves; None before the first fit."""
    try:
        return (store / _MODELS / _CURRENT).read_text("utf-8").strip()
    except FileNotFoundError:
        return None


def remove_former(store: Path, *, also_current: bool = False) -> int:
    """Remove all generations but the current one; returns how many there were.

    Args:
        store: The store's folder.
        also_current: Remove that one, too: there is no model afterwards.
    """
    if also_current:
        (store / _MODELS / _CURRENT).unlink(missing_ok=True)
    current, removed = current_generation(store), 0
    if (store / _MODELS).is_dir():
        for one in (store / _MODELS).iterdir():
            if one.is_dir() and one.name != current:
                shutil.rmtree(one)
                removed += 1
    return removed


def read_card(store: Path, generation: str | None = None) -> ModelCard:
    """Read the card of a model, the current one if not told which.

    Raises:
        InputError: There is no model, or its card is none.
    """
    generation = generation or current_generation(store)
    if generation is None:
        raise InputError(
            "there is no model yet",
            where=str(store),
            hint=f"Fit one: tiepoint recommend fit --store {store}",
        )
    return SAVED.read_card(store / _MODELS / generation)


def load_model(store: Path, generation: str | None = None) -> Model:
    """Load a model of a store, the current one if not told which.

    Raises:
        InputError: There is none, or it is damaged.
        PluginError: One of its rankers is not installed.
    """
    from safetensors.numpy import load

    card = read_card(store, generation)
    folder = store / _MODELS / card.generation
    content = SAVED.read_tensors(folder, card.sha256)
    with SAVED.taking(folder):
        arrays = load(content)
        space = ItemSpace(
            tuple(card.items),
            _below(arrays, "space.vectors."),
            arrays["space.groups"],
            arrays["space.categories"],
            arrays["space.added_s"],
            arrays["space.offered"],
        )
        rankers = {}
        for name, options in card.rankers.items():
            rankers[name] = build_ranker(name, options)
            rankers[name].restore(_below(arrays, f"ranker.{name}."), space)
        blend = Blend(tuple(card.rankers), arrays["blend.weights"], **card.blend)
        return Model(space, rankers, blend, card.generation, card.last_event)


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _saveable(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array)


def fresh_generation(store: Path, data: str) -> str:
    """Return a name for the next generation: its number, and what it was fitted on."""
    former = current_generation(store) or "0-"
    number = former.partition("-")[0]
    return f"{int(number) + 1 if number.isdigit() else 1}-{data[:12]}-{os.getpid()}"


def digest_of_ids(ids: Iterable[str]) -> NDArray[np.uint8]:
    """Return (32,) uint8: the SHA-256 of ids in their order."""
    whole = hashlib.sha256()
    for id_ in ids:
        encoded = id_.encode("utf-8", "surrogatepass")
        whole.update(len(encoded).to_bytes(4, "big") + encoded)
    return np.frombuffer(whole.digest(), np.uint8)


def digest_of(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of arrays, in hexadecimal."""
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(json.dumps([array.dtype.str, array.shape]).encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()
