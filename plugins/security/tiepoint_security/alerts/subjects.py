"""Whether something that is seen was told of already: by track, by looks, by way, or by place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.observation import Box, Observation
from tiepoint_security.alerts.policy import AlertPolicy

_BROKEN_S = 2.0
"""How long after a track was lost another one is taken for its subject."""

_SOMEBODY_ELSE = 0.5
"""The cosine of looks below which it is not, wherever it is."""


class Sight(NamedTuple):
    """When and where it was first the case for a track.

    Attributes:
        at_s: The monotonic time.
        box: Where.
    """

    at_s: float
    box: Box | None


def alert_of_same_subject(
    observation: Observation,
    sight: Sight,
    alerts: Iterable[Alert],
    policy: AlertPolicy,
    now_s: float,
) -> Alert | None:
    """Return the alert about the subject that an observation shows; None if it is new.

    Four signs are looked at, in this order: the track; the looks, of which the most similar
    count; the way, where a track ended and this one goes on from there; and, for what stands
    still, the place, as its looks change with the light. An alert
    that has ended counts until the cooldown is over, which starts when it was last delivered;
    for what stands still, when it was last seen.

    Args:
        observation: What is seen.
        sight: Where it was when it began to be the case.
        alerts: Those of the observation's rule.
        policy: The rule's.
        now_s: The monotonic time.
    """
    known = list(alerts)
    cooling = [alert for alert in known if alert.active or _cools(alert, policy, now_s)]
    track = (observation.camera, observation.track)
    for alert in cooling:
        if track in alert.tracks:
            return alert
    return (
        _most_similar(observation, cooling, policy)
        or _gone_on(observation, sight, cooling)
        or _in_same_place(observation, known, policy, now_s)
        or None
    )


def _cools(alert: Alert, policy: AlertPolicy, now_s: float) -> bool:
    since_s = alert.opened_s if alert.told_last_s is None else alert.told_last_s
    return now_s - since_s < policy.cooldown_s


def _most_similar(
    observation: Observation, alerts: list[Alert], policy: AlertPolicy
) -> Alert | None:
    if observation.appearance is None:
        return None
    best, found = policy.subject.similarity, None
    for alert in alerts:
        if not policy.subject.across_cameras and alert.camera != observation.camera:
            continue
        if alert.appearance is None or alert.appearance.shape != observation.appearance.shape:
            continue
        similarity = float(alert.appearance @ observation.appearance)
        if similarity >= best:
            best, found = similarity, alert
    return found


def _gone_on(observation: Observation, sight: Sight, alerts: list[Alert]) -> Alert | None:
    """Return the alert whose subject was seen last where this track was first, just before.

    Tracks break, and two that met may go on under each other's name. One that goes on to be
    seen beside the new one is somebody else.
    """
    for alert in alerts:
        since_s = sight.at_s - alert.there_s
        if alert.there.camera != observation.camera or not 0 < since_s <= _BROKEN_S:
            continue
        if sight.box is None or alert.box is None or not _near(sight.box, alert.box, since_s):
            continue
        known, looks = alert.appearance, observation.appearance
        if known is None or looks is None or known.shape != looks.shape:
            return alert
        if float(known @ looks) >= _SOMEBODY_ELSE:
            return alert
    return None


def _near(one: Box, other: Box, since_s: float) -> bool:
    """Return whether somebody comes from one box to another in a time: three widths a second."""
    wide, tall = (max(box[n + 2] - box[n] for box in (one, other)) for n in (0, 1))
    aside = abs(one[0] + one[2] - other[0] - other[2]) / 2
    return aside <= (1 + 3 * since_s) * wide and abs(one[3] - other[3]) <= (0.5 + since_s) * tall


def _in_same_place(
    observation: Observation, alerts: list[Alert], policy: AlertPolicy, now_s: float
) -> Alert | None:
    if observation.box is None:
        return None
    least = policy.subject.same_place
    for alert in alerts:
        if alert.first.box is None or alert.box is None or alert.there.camera != observation.camera:
            continue
        stands_still = (
            alert.first.camera == alert.there.camera
            and overlap(alert.first.box, alert.box) >= least
        )
        recent = alert.active or now_s - alert.seen_s < policy.cooldown_s
        if stands_still and recent and overlap(alert.box, observation.box) >= least:
            return alert
    return None


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, in [0, 1].

    >>> overlap((0, 0, 1, 1), (0, 0, 0.5, 1))
    0.5
    """
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
