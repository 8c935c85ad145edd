"""The simulated shop: the same each time, plausible, and with tastes that can be found."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
from PIL import Image, ImageChops

from tests.command_line import tiepoint
from tiepoint_recommendation.simulation.catalogue import KINDS
from tiepoint_recommendation.simulation.pictures import picture_of
from tiepoint_recommendation.simulation.shop import simulate


def test_the_same_seed_gives_the_same_shop_and_another_one_another():
    first, again, other = simulate(20, 24, 20, 1), simulate(20, 24, 20, 1), simulate(20, 24, 20, 2)
    assert first.events == again.events
    assert first.items == again.items
    assert first.events != other.events


def test_every_kind_has_a_picture_of_its_own(shop):
    pictures = [picture_of(item, 64) for item in shop.items[: len(KINDS)]]
    for number, picture in enumerate(pictures):
        assert picture.size == (64, 64)
        for other in pictures[:number]:
            assert ImageChops.difference(picture, other).getbbox() is not None


def test_shoppers_click_what_they_like(shop):
    numbers = {item.id: number for number, item in enumerate(shop.items)}
    users = {shopper.id: number for number, shopper in enumerate(shop.shoppers)}
    clicked = [
        shop.likings[users[event.user], numbers[event.item]]
        for event in shop.events
        if event.event == "click"
    ]
    assert np.mean(clicked) > shop.likings.mean() + shop.likings.std()


def test_events_come_in_order_and_only_for_things_that_are_there(shop):
    added = {item.id: item.added_s for item in shop.items}
    times = [event.timestamp for event in shop.events]
    assert times == sorted(times)
    assert all(event.timestamp >= added[event.item] for event in shop.events)
    kinds = Counter(event.event for event in shop.events)
    assert kinds["view"] > kinds["click"] > kinds["purchase"] > 0
    assert kinds["hide"] > 0


def test_the_command_writes_what_ingest_reads(tmp_path):
    out = tmp_path / "shop"
    size = ("--users", "5", "--items", "12", "--days", "20")
    done = tiepoint("recommend", "simulate", "--out", out, *size, "--json")
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert (counts["items"], counts["users"]) == (12, 5)
    assert (out / "events.csv").read_text().startswith("user,item,event,timestamp,session\n")
    assert Image.open(out / "images" / "i0000.png").size == (160, 160)
    again = tiepoint("recommend", "simulate", "--out", out)
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_a_place_that_takes_no_folder_is_wrong_input(tmp_path):
    (tmp_path / "file").touch()
    done = tiepoint(
        "recommend",
        "simulate",
        "--out",
        tmp_path / "file" / "shop",
        "--users",
        "1",
        "--items",
        "12",
    )
    assert done.returncode == 2
    assert "shop: the folder cannot be made (Not a directory)" in done.stderr
