"""How much what was done long ago still counts."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tiepoint_recommendation.histories import Floats, Histories, Seconds
from tiepoint_recommendation.rankers.base import RankerOptions

DAY_S = 86_400.0


class RecencyOptions(RankerOptions):
    """How the entries of a history fade, by what came after them and by time."""

    fade_items: float = Field(
        default=20.0,
        gt=0,
        title="Fade (items)",
        description="An entry counts exp(-n / this), with n items after it.",
    )
    half_life_days: float = Field(
        default=365.0,
        gt=0,
        title="Half-life (days)",
        description="The time in which an entry comes to count half.",
    )


def fading(histories: Histories, options: RecencyOptions) -> Floats:
    """Return (entries,) float32: the entries' strengths, faded by position and by age.

    Entries of the same time count as equally far back. The age is taken from each user's last
    entry, so that somebody who comes back after years is known as before.
    """
    positions = tied_positions(histories)
    if len(histories) == 1:  # as with every live answer, which cannot wait for the general way
        last = histories.times_s[-1:]
    else:
        last = np.repeat(last_times(histories), histories.lengths)
    days = (last - histories.times_s) / DAY_S
    factors = np.exp(-positions / options.fade_items) * 0.5 ** (days / options.half_life_days)
    return np.asarray(histories.strengths * factors, np.float32)


def last_times(histories: Histories) -> Seconds:
    """Return (n,) float64: the time of each user's last entry, or of asking without any."""
    last = np.array(histories.now_s, np.float64)
    some = histories.lengths > 0
    last[some] = histories.times_s[histories.offsets[1:][some] - 1]
    return last


def tied_positions(histories: Histories) -> Seconds:
    """Return (entries,) float64: items after each entry, the mean for those of one time."""
    if len(histories) == 1:
        positions = np.arange(len(histories.items), dtype=np.float64)[::-1]
    else:
        positions = histories.positions.astype(np.float64)
    if not len(positions):
        return positions
    times = histories.times_s
    if len(histories) == 1 and (times[1:] != times[:-1]).all():
        return positions
    users = histories.users
    parted = (users[1:] != users[:-1]) | (times[1:] != times[:-1])
    if parted.all():
        return positions
    begins = np.r_[True, parted]
    group = np.cumsum(begins) - 1
    means = np.bincount(group, positions) / np.bincount(group)
    return np.asarray(means[group])
