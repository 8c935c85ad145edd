"""Rendered scenes show what their ground truth says, and the same scene is the same pixels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tiepoint_security.rendering.scene import RenderedFrame, Scene
from tiepoint_security.rendering.scenery import street
from tiepoint_security.rendering.scripts import SCRIPTS, YARD, ordinary


@pytest.fixture(scope="module")
def frames() -> dict[str, list[RenderedFrame]]:
    return {name: list(make(16.0, 3, 0).frames()) for name, make in SCRIPTS.items()}


def middle(box) -> float:
    return (box[0] + box[2]) / 2


def during(frames, kind) -> list[RenderedFrame]:
    return [f for f in frames[kind] if any(e.kind == kind for e in f.happening)]


def test_the_same_scene_is_the_same_pixels_and_another_seed_another_scene():
    one, two, other = (
        np.stack([f.pixels for f in ordinary(1.0, seed).frames()]) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_figures_are_where_the_truth_says_and_nowhere_else(frames):
    scene = ordinary(16.0, 3, 0)
    ground = street(scene.width, scene.height, scene.street).astype(int)
    for frame in frames["ordinary"][::40]:
        inside = np.zeros(ground.shape[:2], bool)
        for left, top, right, bottom in frame.boxes.values():
            rows = slice(int(top * 240) - 2, int(bottom * 240) + 7)
            columns = slice(max(0, int(left * 320) - 12), int(right * 320) + 13)
            inside[rows, columns] = True
        changed = np.abs(frame.pixels - ground).max(2) > 25
        assert changed[inside].sum() > 100
        assert not changed[~inside].any()


def test_ordinary_people_walk_to_the_right_and_stay_out_of_the_yard(frames):
    seen: dict[str, list[float]] = {}
    for frame in frames["ordinary"]:
        for name, box in frame.boxes.items():
            if box[0] > 0 and box[2] < 1:
                seen.setdefault(name, []).append(middle(box))
            assert box[3] > YARD[2][1]
    assert len(seen) > 3
    assert all(places == sorted(places) for places in seen.values())
    assert not any(frame.happening for frame in frames["ordinary"])


def test_the_intruder_is_in_the_yard_while_it_happens(frames):
    for frame in during(frames, "intrusion"):
        box = frame.boxes["intruder"]
        assert YARD[0][0] - 0.05 <= middle(box) <= 1
        assert YARD[0][1] <= box[3] <= YARD[2][1] + 0.05


def test_the_bag_stays_where_it_was_left_and_its_carrier_goes(frames):
    left = during(frames, "abandoned_object")
    assert len({frame.boxes["carrier's bag"] for frame in left}) == 1
    assert "carrier" not in left[-1].boxes
    assert "carrier's bag" not in frames["abandoned_object"][5].boxes


def test_who_walks_against_the_others_goes_to_the_left(frames):
    places = [middle(f.boxes["opposed"]) for f in during(frames, "wrong_direction")[5:-5]]
    assert places == sorted(places, reverse=True)


def test_the_runner_is_much_faster_than_the_others(frames):
    runs = [middle(f.boxes["runner"]) for f in during(frames, "running")[4:-4]]
    walks = [
        middle(f.boxes["passer-by 2"])
        for f in frames["running"]
        if "passer-by 2" in f.boxes and 0.2 < middle(f.boxes["passer-by 2"]) < 0.8
    ]
    assert np.diff(runs).mean() > 2 * np.diff(walks).mean()


def test_the_fighters_stand_close_and_their_limbs_move_fast(frames):
    fighting = during(frames, "fight")
    assert all(abs(middle(f.boxes["first"]) - middle(f.boxes["second"])) < 0.2 for f in fighting)
    pictures = [f.pixels.astype(int) for f in fighting]
    changes = [(np.abs(b - a).max(2) > 30).sum() for a, b in pairwise(pictures)]
    assert np.median(changes) > 150


def test_the_loiterer_stays_and_the_guests_gather(frames):
    stays = during(frames, "loitering")
    assert all("loiterer" in frame.boxes for frame in stays)
    gathered = during(frames, "crowding")
    assert all(len(frame.boxes) == 8 for frame in gathered)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_kind_has_its_event_within_the_scene(name):
    scene: Scene = SCRIPTS[name](20.0, 1, 2)
    kinds = [event.kind for event in scene.events]
    assert kinds == ([] if name == "ordinary" else [name])
    assert all(0 < event.start_s < event.end_s <= scene.seconds for event in scene.events)
