"""Rendered scenes, watched like cameras: what truly happens raises an alert, with evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.footage import write_video
from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.rendering.scripts import SCRIPTS, YARD
from tiepoint_security.scene.foreground import boxes_of
from tiepoint_security.settings import AlertSettings
from tiepoint_security.watching.recording import RecordingWatch
from tiepoint_security.watching.settings import WatchSettings

RULES: dict[str, Any] = {
    "intrusion": {"intrusion": {"zones": ["yard"]}},
    "abandoned_object": {"abandoned": {"seconds": 5}},
    "wrong_direction": {"wrong_direction": {"allowed": "right"}},
    "loitering": {"loitering": {"seconds": 12}},
}


def video(folder: Path, name: str, **changes: Any) -> tuple[Path, Any]:
    scene = replace(SCRIPTS[name](*((40.0,) if name == "loitering" else (20.0,)), 0, 0), **changes)
    file = folder / f"{name}.mp4"
    with ClipWriter(file) as clip:
        for frame in scene.frames():
            clip.add(frame.pixels, frame.time_s)
    return file, scene


def watched(
    file: Path,
    rules: Mapping[str, Any],
    out: Path | None = None,
    clear_after_s: float = 3.0,
    **camera: Any,
) -> tuple[list[Mapping[str, Any]], RecordingWatch]:
    heard: list[Mapping[str, Any]] = []
    settings = WatchSettings.model_validate(
        {
            "cameras": {
                "street": {"address": str(file), "zones": {"yard": YARD}, **camera},
            },
            "rules": {name: {"when": when} for name, when in rules.items()},
            "evidence": {"before_s": 2, "after_s": 2},
        }
    )
    default = {"condition": {"clear_after_s": clear_after_s}}
    alerts = AlertSettings.model_validate({"default": default})
    watch = RecordingWatch(settings, alerts, None, heard.append, out, begins_wall_s=0.0)
    watch.run()
    return heard, watch


def begins(heard: list[Mapping[str, Any]], rule: str) -> list[float]:
    """Return when alerts of a rule were raised, in seconds of the footage."""
    return [
        float(body["at"][17:23]) + 60 * float(body["at"][14:16])
        for body in heard
        if body["type"] == "new" and body["after"]["rule"] == rule
    ]


@pytest.mark.parametrize("name", list(RULES))
def test_what_happens_raises_its_alert_soon(tmp_path: Path, name: str) -> None:
    file, scene = video(tmp_path, name)
    [event] = scene.events
    heard, _ = watched(file, {name: RULES[name]})
    patience = {"loitering": 16.0, "abandoned_object": 7.5}.get(name, 4.0)
    raised = begins(heard, name)
    assert raised, "there is no alert"
    assert event.start_s <= raised[0] <= event.start_s + patience


def test_ordinary_people_raise_nothing(tmp_path: Path) -> None:
    file, _ = video(tmp_path, "ordinary")
    heard, _ = watched(file, RULES)
    assert not heard


def test_head_of_somebody_in_clothes_like_the_background_is_not_a_thing_of_its_own() -> None:
    legs, head, far = (0.52, 0.58, 0.61, 0.74), (0.55, 0.45, 0.59, 0.49), (0.55, 0.34, 0.58, 0.49)
    dog, bag = (0.52, 0.44, 0.61, 0.49), (0.54, 0.41, 0.60, 0.49)
    collar = (0.54, 0.465, 0.59, 0.54)
    for number, other in ((1, head), (1, collar), (2, far), (2, dog), (2, bag)):
        assert things(legs, other) == number


def test_feet_below_trousers_like_the_background_are_no_thing_of_their_own() -> None:
    torso, feet = (0.52, 0.50, 0.58, 0.71), (0.51, 0.80, 0.60, 0.84)
    behind, near = (0.50, 0.70, 0.515, 0.72), (0.545, 0.78, 0.575, 0.88)
    body, far = (0.52, 0.45, 0.58, 0.71), (0.51, 0.90, 0.60, 0.94)
    assert things(torso, feet) == 1
    assert things(body, behind) == 1  # the foot of a step
    assert things(torso, near) == 2  # somebody small, who stands upright himself
    assert things(torso, far) == 2


def things(*boxes: tuple[float, float, float, float]) -> int:
    """Return how many things there are where these boxes differ from the background."""
    mask = np.zeros((192, 256), np.uint8)
    for left, top, right, bottom in boxes:
        mask[round(top * 192) : round(bottom * 192), round(left * 256) : round(right * 256)] = 1
    return len(boxes_of(mask))


def test_alert_comes_with_a_snapshot_and_a_clip_from_before_to_after(tmp_path: Path) -> None:
    file, _ = video(tmp_path, "wrong_direction")
    out = tmp_path / "evidence"
    heard, watch = watched(file, {"wrong": RULES["wrong_direction"]}, out)
    [alert] = {body["id"] for body in heard}
    evidence = watch.journal.alerts[alert]["evidence"]
    assert set(evidence) == {"snapshot", "clip"}
    with Image.open(evidence["snapshot"]) as snapshot:
        assert snapshot.size == (320, 240)
    with av.open(evidence["clip"]) as clip:
        times = [float(frame.time or 0) for frame in clip.decode(video=0)]
    assert times[-1] - times[0] == pytest.approx(4.0, abs=0.5)
    assert heard[-1]["type"] == "end"
    assert not list(out.rglob("*.partial"))


def test_alerts_end_with_the_recording_however_long_they_would_go_on(tmp_path: Path) -> None:
    file, _ = video(tmp_path, "intrusion")
    heard, watch = watched(file, {"yard": RULES["intrusion"]}, clear_after_s=3600)
    [alert] = watch.journal.alerts.values()
    assert alert["state"] == "ended"
    assert heard[-1]["type"] == "end"
    assert watch.desk.health()["active"] == 0


def test_rules_are_joined_by_all_any_and_not(tmp_path: Path) -> None:
    file, _ = video(tmp_path, "wrong_direction")
    wrong, in_yard = RULES["wrong_direction"], RULES["intrusion"]
    heard, _ = watched(
        file,
        {
            "both": {"all": [wrong, in_yard]},
            "either": {"any": [wrong, in_yard]},
            "but": {"all": [wrong, {"not": in_yard}]},
        },
    )
    assert {body["after"]["rule"] for body in heard} == {"either", "but"}
    assert set(heard[0]["after"]["contributions"]) == {"wrong_direction", "intrusion"}


@pytest.mark.slow
def test_camera_learns_what_is_ordinary_and_alerts_on_who_runs(tmp_path: Path) -> None:
    ordinary, _ = video(tmp_path, "ordinary", seconds=45.0)
    learned = tmp_path / "learned"
    settings = WatchSettings.model_validate(
        {
            "cameras": {"street": {"address": str(ordinary), "fps": 10}},
            "rules": {"odd": {"when": {"abnormal": {}}}},
            "learning": {"seconds": 40},
        }
    )
    first = RecordingWatch(settings, AlertSettings(), None, lambda _: None, None, learned, 0.0)
    assert "40 s more" in first.learning["odd"]["abnormal"]
    first.run()
    assert not first.learning
    running, scene = video(tmp_path, "running")
    heard: list[Mapping[str, Any]] = []
    later = settings.model_copy(
        update={
            "cameras": {
                "street": settings.cameras["street"].model_copy(update={"address": str(running)})
            }
        }
    )
    RecordingWatch(later, AlertSettings(), None, heard.append, None, learned, 0.0).run()
    raised = begins(heard, "odd")
    assert raised
    assert scene.events[0].start_s <= raised[0] <= scene.events[0].end_s + 1


def test_black_picture_is_an_alert_about_the_camera(tmp_path: Path) -> None:
    file = write_video(tmp_path / "black.mp4", [np.zeros((48, 64, 3), np.uint8)] * 100)
    heard, _ = watched(file, {}, zones={})
    assert heard[0]["after"]["rule"] == "camera"
    assert heard[0]["after"]["contributions"] == {"black": 1.0}
