"""Figures of alarms and of ranks."""

from __future__ import annotations

import numpy as np
import pytest

from tiepoint_security.evaluation.alarms import alarms, judge, upper_rate
from tiepoint_security.evaluation.ranking import compare, interval, micro_auc


def test_event_is_found_late_and_false_alarm_is_counted() -> None:
    scores = np.zeros(100)
    scores[[10, 11, 50, 51, 52]] = 1
    labels = np.zeros(100, bool)
    labels[45:60] = True
    found = judge(scores, labels, 0.5, fps=10.0)
    assert found.delays == (5,)
    assert found.false == 1
    assert found.normal_frames == 85


def test_missed_event_is_not_found() -> None:
    labels = np.zeros(30, bool)
    labels[20:] = True
    assert judge(np.zeros(30), labels, 0.5, fps=10.0).delays == (None,)


def test_alarm_goes_on_through_a_short_gap_only() -> None:
    scores = np.zeros(60)
    scores[[5, 12, 40]] = 1
    assert [(a.begin, a.end) for a in alarms(scores, 0.5, fps=10.0)] == [(5, 13), (40, 41)]


def test_bound_rests_on_the_hours_seen() -> None:
    assert upper_rate(0, 0.1) == pytest.approx(30, abs=0.1)
    assert upper_rate(2, 1.0) == pytest.approx(6.3, abs=0.01)


def test_ties_count_half() -> None:
    assert micro_auc([np.zeros(4)], [np.array([True, False, True, False])]) == 0.5


def test_better_system_is_found_better_on_the_same_clips() -> None:
    chance = np.random.default_rng(0)
    labels = [np.arange(50) > 25 for _ in range(12)]
    good = [marked + chance.normal(0, 0.5, 50) for marked in labels]
    poor = [marked + chance.normal(0, 1.5, 50) for marked in labels]
    found = compare(good, poor, labels)
    assert found is not None
    assert found.difference.low > 0
    assert found.p_value < 0.05
    area = interval(good, labels)
    assert area is not None
    assert area.low < area.value < area.high


def test_labels_that_are_all_the_same_have_no_area() -> None:
    assert interval([np.arange(5.0)], [np.ones(5, bool)]) is None
