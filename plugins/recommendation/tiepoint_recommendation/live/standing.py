"""What holds for all answers of a moment: the rules, and how often items were shown."""

from __future__ import annotations

import threading
import time

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.live.impressions import ImpressionStore
from tiepoint_recommendation.live.shelf import Shelf
from tiepoint_recommendation.rules.book import RuleBook
from tiepoint_recommendation.rules.effects import Effects, effects_of
from tiepoint_recommendation.rules.rule import Rule

_COUNTS_EVERY_S = 5.0


class Standing:
    """Rules and counts, read again when asked to, and worked out once for a shelf.

    Args:
        book: The rules.
        impressions: What was shown.
    """

    def __init__(self, book: RuleBook, impressions: ImpressionStore) -> None:
        self.book = book
        self.impressions = impressions
        self._rules: list[Rule] | None = None
        self._effects: tuple[Shelf, tuple[Rule, ...], Effects] | None = None
        self._counts: tuple[Shelf, float, NDArray[np.int64]] | None = None
        self._lock = threading.Lock()

    def read_rules(self) -> None:
        """Read the rules again.

        Raises:
            StoreError: The database refused; the former rules hold on.
        """
        self._rules = [entry.rule for entry in self.book.entries()]

    def rules(self, now_s: float) -> tuple[Rule, ...]:
        """Return the rules that hold at a time, in seconds since 1970, the oldest first."""
        if self._rules is None:
            self.read_rules()
        return tuple(rule for rule in self._rules or () if rule.active(now_s))

    def effects(self, shelf: Shelf, now_s: float, trial: Rule | None = None) -> Effects:
        """Return what the rules do to a shelf.

        Args:
            shelf: The items.
            now_s: The present, in seconds since 1970.
            trial: A further rule that is taken to hold.
        """
        rules = self.rules(now_s)
        if trial is not None:
            return effects_of((*rules, trial), shelf)
        known = self._effects
        if known is None or known[0] is not shelf or known[1] != rules:
            known = shelf, rules, effects_of(rules, shelf)
            self._effects = known
        return known[2]

    def counts(self, shelf: Shelf) -> NDArray[np.int64]:
        """Return (2, n): how often each item was shown, and clicked then; seconds old at most."""
        known, now = self._counts, time.monotonic()
        if known is not None and known[0] is shelf and now - known[1] < _COUNTS_EVERY_S:
            return known[2]
        with self._lock:
            table = np.zeros((2, len(shelf)), np.int64)
            for item, pair in self.impressions.counts().items():
                number = shelf.model.number_of.get(item)
                if number is not None:
                    table[:, number] = pair
            self._counts = shelf, now, table
        return table
