"""A trained sequence model: a recurrent network that tells what comes next, by torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiepoint_recommendation.histories import Floats, Histories
from tiepoint_recommendation.rankers.base import ItemSpace, Ranker, RankerOptions

_LEARNED = {
    "embedding": "0.weight",
    "input": "1.weight_ih_l0",
    "hidden": "1.weight_hh_l0",
    "input_bias": "1.bias_ih_l0",
    "hidden_bias": "1.bias_hh_l0",
    "output": "2.weight",
    "bias": "2.bias",
}
"""What torch calls the arrays."""
_NO_ITEM = -1


class RecurrentOptions(RankerOptions):
    """How large the network is, and how long it is trained."""

    units: int = Field(default=64, ge=2, le=1024, title="Units", description="Of its state.")
    epochs: int = Field(default=20, ge=1, title="Epochs", description="Rounds of training.")
    dropout: float = Field(
        default=0.2, ge=0, lt=1, title="Dropout", description="Of inputs, while it is trained."
    )
    learning_rate: float = Field(
        default=3e-3, gt=0, title="Learning rate", description="Of the optimiser AdamW."
    )
    most_steps: int = Field(
        default=50, ge=2, title="Most steps", description="It looks back over so many items."
    )
    most_items: int = Field(
        default=4000,
        ge=2,
        title="Most items",
        description="Only so many of the most popular items take part.",
    )
    seed: int = Field(default=0, ge=0, title="Seed", description="Of what is drawn by chance.")


class Recurrent(Ranker):
    """GRU4Rec (Hidasi et al., 2016) with a softmax over all items, as in its later revisions.

    It takes minutes to train, so it is blended only where it is named. Once trained it answers
    without torch.
    """

    name: ClassVar[str] = "recurrent"
    Options: ClassVar[type[RankerOptions]] = RecurrentOptions

    def __init__(self, options: RecurrentOptions) -> None:
        super().__init__(options)
        self.training = options
        self._state: dict[str, NDArray[Any]] = {}
        self._place = np.zeros(0, np.int64)

    def fit(self, histories: Histories, space: ItemSpace) -> None:
        counts = np.bincount(histories.items[histories.strengths > 0], minlength=len(space))
        chosen = np.argsort(-counts, kind="stable")[: self.training.most_items]
        self._take({"items": np.sort(chosen[counts[chosen] > 0])}, len(space))
        steps = self._steps(histories, windows=True)
        steps = steps[(steps != _NO_ITEM).sum(axis=1) > 1]
        if len(steps):
            self._take(self._state | self._trained(steps), len(space))

    def _take(self, state: Mapping[str, NDArray[Any]], n_items: int) -> None:
        self._state = dict(state)
        self._place = np.full(n_items, _NO_ITEM, np.int64)
        self._place[state["items"]] = np.arange(len(state["items"]))

    def _steps(self, histories: Histories, *, windows: bool) -> NDArray[np.int64]:
        """Return (n, steps) places of liked items, the oldest first, -1 after the last.

        Args:
            histories: Of whom.
            windows: Whether long histories give several rows; else only their end counts.
        """
        most = self.training.most_steps
        found = []
        for one in histories:
            places = self._place[one.items[one.strengths > 0]]
            places = places[places != _NO_ITEM]
            # a window begins with the last item of the one before it, so that no step is lost
            ends = range(len(places), 1, 1 - most) if windows else [len(places)]
            found += [places[max(end - most, 0) : end] for end in ends]
        longest = max((len(some) for some in found), default=0)
        steps = np.full((len(found), longest), _NO_ITEM, np.int64)
        for row, some in zip(steps, found, strict=True):
            row[: len(some)] = some
        return steps

    def _trained(self, steps: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        import torch

        options, n = self.training, len(self._state["items"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            embedding = torch.nn.Embedding(n + 1, options.units, padding_idx=n)
            network = torch.nn.GRU(options.units, options.units, batch_first=True)
            output = torch.nn.Linear(options.units, n)
            dropout = torch.nn.Dropout(options.dropout)
            modules = torch.nn.ModuleList([embedding, network, output])
            optimiser = torch.optim.AdamW(
                modules.parameters(), lr=options.learning_rate, weight_decay=0.01
            )
            given = torch.from_numpy(steps)
            for _ in range(options.epochs):
                for batch in torch.split(torch.randperm(len(given)), 32):
                    some = given[batch]
                    before = torch.where(some[:, :-1] < 0, n, some[:, :-1])
                    states, _last = network(dropout(embedding(before)))
                    asked = (some[:, :-1] >= 0) & (some[:, 1:] >= 0)
                    loss = torch.nn.functional.cross_entropy(
                        output(dropout(states[asked])), some[:, 1:][asked]
                    )
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
        learned = modules.state_dict()
        return {name: learned[key].numpy().copy() for name, key in _LEARNED.items()}

    def scores(self, histories: Histories) -> Floats:
        found = np.zeros((len(histories), len(self._place)), np.float32)
        if "output" not in self._state:
            return found
        steps = self._steps(histories, windows=False)
        asked = (steps != _NO_ITEM).any(axis=1)
        logits = self._last_states(steps[asked]) @ self._state["output"].T + self._state["bias"]
        if len(logits):
            logits -= logits.min(axis=1, keepdims=True)  # items that take no part are at 0
        found[np.ix_(asked, self._state["items"])] = logits
        return found

    def _last_states(self, steps: NDArray[np.int64]) -> Floats:
        """Return (n, units) the state after the last step (Cho et al., 2014)."""
        known = self._state
        states = np.zeros((len(steps), self.training.units), np.float32)
        for places in steps.T:
            at = np.flatnonzero(places != _NO_ITEM)
            if not len(at):
                continue
            before = states[at]
            given = known["embedding"][places[at]] @ known["input"].T + known["input_bias"]
            kept = before @ known["hidden"].T + known["hidden_bias"]
            reset_in, update_in, new_in = np.split(given, 3, axis=1)
            reset_kept, update_kept, new_kept = np.split(kept, 3, axis=1)
            update = _sigmoid(update_in + update_kept)
            new = np.tanh(new_in + _sigmoid(reset_in + reset_kept) * new_kept)
            states[at] = (1 - update) * new + update * before
        return states

    def state(self) -> dict[str, NDArray[Any]]:
        return dict(self._state)

    def restore(self, state: Mapping[str, NDArray[Any]], space: ItemSpace) -> None:
        self._take(state, len(space))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)), np.float32)
