"""Alerts are raised once for each thing that happens, and end when it ends."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from pydantic import ValidationError

from tests.alert_scene import Scene, looks
from tiepoint.errors import StoreError
from tiepoint_security.alerts.condition import ConditionSettings
from tiepoint_security.alerts.limits import RateSettings
from tiepoint_security.alerts.observation import Observation


def test_flicker_of_few_frames_raises_nothing() -> None:
    scene = Scene()
    for _ in range(10):
        scene.see(0.9, 0.4)
        scene.see(0.0, 0.8)
    assert scene.types == []


def test_score_that_stays_is_one_alert_with_beginning_and_end() -> None:
    scene = Scene(update_every_s=3600)
    alert = scene.see(0.9, 5)
    scene.see(0.0, 5)
    assert alert is not None
    assert scene.types == ["new", "end"]
    new, end = (addressed.message.body for addressed in scene.notebook.messages)
    assert new["before"] is None
    assert new["after"]["state"] == "active"
    assert end["before"] == new["after"]
    assert end["after"]["state"] == "ended"
    assert (new["key"], end["key"]) == (f"{alert.id}:1", f"{alert.id}:2")


def test_between_the_thresholds_an_alert_goes_on_but_does_not_begin() -> None:
    scene = Scene(update_every_s=3600)
    scene.see(0.45, 10)
    assert scene.types == []
    scene.see(0.9, 2)
    scene.see(0.45, 30)
    assert scene.types == ["new"]


def test_subject_that_is_no_longer_seen_ends_its_alert() -> None:
    scene = Scene(update_every_s=3600)
    scene.see(0.9, 2)
    scene.wait(2)
    assert scene.types == ["new"]
    scene.wait(3)
    assert scene.types == ["new", "end"]


def test_nothing_is_remembered_of_subjects_long_gone() -> None:
    scene = Scene(cooldown_s=10)
    for number in range(50):
        scene.see(0.9, 2, track=str(number))
    scene.wait(60)
    assert scene.desk.health()["active"] == 0
    assert not scene.desk._alerts
    assert not scene.desk._conditions
    assert not scene.desk._of_key


def test_cooldown_counts_from_the_last_delivered_alert_not_from_the_last_trigger() -> None:
    scene = Scene(cooldown_s=60, update_every_s=3600)
    for _ in range(12):  # on and off for two minutes: the trigger never rests for a minute
        scene.see(0.9, 4)
        scene.see(0.0, 6)
    assert scene.news == 2


def test_other_subject_alerts_within_the_cooldown() -> None:
    scene = Scene(cooldown_s=600)
    scene.see(0.9, 2, track="1", appearance=looks(1))
    scene.see(0.9, 2, track="2", appearance=looks(2))
    assert scene.news == 2


def test_new_track_of_the_same_subject_is_the_same_alert() -> None:
    scene = Scene(cooldown_s=600)
    first = scene.see(0.9, 2, track="1", appearance=looks(1))
    second = scene.see(0.9, 2, track="2", appearance=looks(1, blend=0.3))
    assert first is second
    assert scene.news == 1


def test_subject_that_walks_from_camera_to_camera_is_one_alert() -> None:
    scene = Scene()
    scene.see(0.9, 2, camera="gate", track="7", appearance=looks(1))
    alert = scene.see(0.9, 2, camera="yard", track="3", appearance=looks(1, blend=0.3))
    assert scene.news == 1
    assert alert is not None
    assert alert.view()["cameras"] == ["gate", "yard"]


def test_cameras_can_be_kept_apart() -> None:
    scene = Scene(subject={"across_cameras": False})
    scene.see(0.9, 2, camera="gate", appearance=looks(1))
    scene.see(0.9, 2, camera="yard", appearance=looks(1))
    assert scene.news == 2


def test_track_that_breaks_is_the_same_alert() -> None:
    scene = Scene(update_every_s=3600)
    scene.see(0.9, 2, track="1", box=(0.5, 0.4, 0.56, 0.6))
    scene.wait(1)
    scene.see(0.9, 2, track="2", box=(0.6, 0.4, 0.66, 0.6))
    assert scene.news == 1


def test_who_goes_on_under_the_name_of_another_one_is_the_same_alert() -> None:
    scene = Scene(update_every_s=3600)
    scene.see(0.9, 2, track="1", box=(0.5, 0.4, 0.56, 0.6))
    for _ in range(6):  # the two names are put right, and the first is somebody outside again
        alert = scene.see(0.0, 0.2, track="1", box=(0.1, 0.6, 0.18, 0.9))
        assert alert is not None
        assert alert.box in ((0.5, 0.4, 0.56, 0.6), (0.52, 0.4, 0.58, 0.6))
        scene.see(0.9, 0.2, track="2", box=(0.52, 0.4, 0.58, 0.6))
    assert scene.news == 1


def test_two_who_come_side_by_side_are_two_alerts() -> None:
    scene = Scene(update_every_s=3600)
    for _ in range(10):
        scene.see(0.9, 0.2, track="1", box=(0.5, 0.4, 0.56, 0.6))
        scene.see(0.9, 0.2, track="2", box=(0.57, 0.4, 0.63, 0.6))
    assert scene.news == 2


def test_somebody_who_comes_where_another_one_went_is_another_alert() -> None:
    scene = Scene(update_every_s=3600)
    scene.see(0.9, 2, track="1", box=(0.5, 0.4, 0.56, 0.6))
    scene.see(0.9, 2, track="2", box=(0.05, 0.4, 0.11, 0.6))  # too far away
    scene.wait(5)
    scene.see(0.9, 2, track="3", box=(0.09, 0.4, 0.15, 0.6))  # too late
    assert scene.news == 3


def test_alerts_of_a_camera_end_with_its_footage() -> None:
    scene = Scene(condition={"clear_after_s": 3600}, subject={"across_cameras": False})
    ends = scene.see(0.9, 2, camera="file", track="1")
    scene.see(0.9, 2, camera="gate", track="1")
    scene.desk.close("file")
    assert scene.types[-1] == "end"
    assert ends is not None
    assert scene.notebook.messages[-1].message.body["id"] == ends.id
    assert scene.desk.health()["active"] == 1
    scene.see(0.9, 2, camera="file", track="1")
    assert scene.desk.health()["active"] == 2


def test_parked_object_does_not_alert_again_when_the_light_changes() -> None:
    scene = Scene(cooldown_s=30, update_every_s=3600)
    box = (0.2, 0.5, 0.4, 0.7)
    scene.see(0.9, 60, track="1", appearance=looks(1), box=box)
    scene.see(0.0, 4, track="1", appearance=looks(1), box=box)
    scene.see(0.9, 10, track="2", appearance=looks(2), box=(0.21, 0.5, 0.4, 0.7))
    assert scene.news == 1


def test_what_moves_through_the_same_place_is_something_else() -> None:
    scene = Scene(cooldown_s=30, update_every_s=3600)
    scene.see(0.9, 2, track="1", appearance=looks(1), box=(0.0, 0.5, 0.2, 0.7))
    scene.see(0.9, 2, track="1", appearance=looks(1), box=(0.5, 0.5, 0.7, 0.7))
    scene.see(0.9, 2, track="2", appearance=looks(2), box=(0.5, 0.5, 0.7, 0.7))
    assert scene.news == 2


def test_wall_clock_that_jumps_changes_no_duration() -> None:
    scene = Scene(cooldown_s=60, update_every_s=3600)
    scene.see(0.9, 2)
    scene.clock.wall_s += 86_400
    scene.see(0.9, 2)
    scene.clock.wall_s -= 3 * 86_400
    scene.see(0.9, 2)
    scene.see(0.0, 5)
    scene.see(0.9, 2)
    assert scene.types == ["new", "end", "update"]


def test_updates_come_at_most_so_often_but_at_once_when_it_gets_worse() -> None:
    scene = Scene(update_every_s=10)
    scene.see(0.9, 9)
    assert scene.types == ["new"]
    scene.see(0.9, 2)
    assert scene.types == ["new", "update"]
    scene.see(0.9, 0.2, severity="critical")
    assert scene.types == ["new", "update", "update"]
    assert scene.notebook.messages[-1].message.body["after"]["severity"] == "critical"


def test_evidence_reaches_those_who_were_told() -> None:
    scene = Scene()
    alert = scene.see(0.9, 2)
    assert alert is not None
    scene.desk.attach(alert.id, "snapshot", "a.jpg")
    after = scene.notebook.messages[-1].message.body["after"]
    assert after["evidence"] == {"snapshot": "a.jpg"}


def test_limit_holds_alerts_back_and_health_shows_them() -> None:
    scene = Scene(rate=RateSettings(alerts=2, per_s=60), update_every_s=3600)
    for number in range(4):
        scene.see(0.9, 2, track=str(number), appearance=looks(number))
    assert scene.news == 2
    assert scene.desk.health()["held"] == 2
    held = [view["held"] for view in scene.notebook.kept.values()]
    assert held.count("rate") == 2


def test_held_alert_that_still_goes_on_is_told_of_when_there_is_room() -> None:
    scene = Scene(rate=RateSettings(alerts=1, per_s=30), update_every_s=3600)
    scene.see(0.9, 2, track="1", appearance=looks(1))
    scene.see(0.9, 20, track="2", appearance=looks(2))
    assert scene.news == 1
    scene.see(0.9, 20, track="2", appearance=looks(2))
    assert scene.news == 2


def test_receiver_never_hears_of_the_end_of_what_it_was_not_told_of() -> None:
    scene = Scene(rate=RateSettings(alerts=1, per_s=3600))
    scene.see(0.9, 2, track="1", appearance=looks(1))
    scene.see(0.9, 2, track="2", appearance=looks(2))
    scene.wait(10)
    told = {addressed.message.body["id"] for addressed in scene.notebook.messages}
    assert len(told) == 1
    assert len(scene.notebook.kept) == 2


def test_score_that_is_no_number_raises_nothing() -> None:
    scene = Scene()
    scene.see(math.nan, 10)
    assert scene.types == []


def test_database_that_is_away_for_a_while_loses_no_alert(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(update_every_s=3600)
    keep = scene.notebook.record

    def refuse(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(scene.notebook, "record", refuse)
    scene.see(0.9, 2)
    assert scene.desk.health()["status"] == "degraded"
    monkeypatch.setattr(scene.notebook, "record", keep)
    scene.wait(1)
    assert scene.types == ["new"]
    assert scene.desk.health() == {
        "status": "ok",
        "active": 1,
        "held": 0,
        "unrecorded": 0,
        "lost": 0,
    }


def test_database_that_hangs_keeps_no_camera_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(update_every_s=0)
    hangs, let_go = threading.Event(), threading.Event()
    keep = scene.notebook.record

    def hang(*recorded: Any) -> None:
        hangs.set()
        assert let_go.wait(20)
        keep(*recorded)

    def refuse(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(scene.notebook, "record", refuse)
    scene.see(0.9, 2)
    monkeypatch.setattr(scene.notebook, "record", hang)
    ticking = threading.Thread(target=scene.desk.tick)
    ticking.start()
    assert hangs.wait(5)
    for number in range(20):
        scene.desk.observe(Observation("gate", "intrusion", 0.9, track=str(number)))
    let_go.set()
    ticking.join()
    scene.wait(1)
    assert scene.news >= 1
    assert scene.desk.health()["status"] == "ok"


@pytest.mark.parametrize(
    "settings", [{"raise_above": 0.3, "clear_below": 0.4}, {"hits": 7, "of": 6}]
)
def test_thresholds_that_contradict_each_other_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="must not be"):
        ConditionSettings(**settings)
