"""Events and products as they are kept, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from tiepoint.errors import ConfigError
from tiepoint_recommendation.forgetting import remove
from tiepoint_recommendation.storage import tables
from tiepoint_recommendation.storage.catalogue import CatalogueStore, Changes
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.types import Event, Product


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgresql")
    database = Database.of_store(tmp_path, url)
    with database.writing() as session:
        for table in (tables.events, tables.products, tables.forgotten):
            session.execute(delete(table))
    yield database
    database.close()


def test_events_are_kept_once_and_read_from_the_newest(database: Database) -> None:
    events = EventStore(database)
    told = [Event("u", f"i{n}", "view", 100.0 + n, session="s") for n in range(5)]
    assert events.append(told) == (5, 0, 0)
    assert events.append([told[2], Event("u", "i9", "cart", 300.0)]) == (1, 1, 0)
    assert [one.item for one in events.recent("u", 3)] == ["i9", "i4", "i3"]
    assert events.recent_of_session("s", 1) == [told[4]]
    assert events.recent("nobody") == []


def test_the_number_of_the_last_event_never_falls(database: Database) -> None:
    events = EventStore(database)
    events.append([Event("u", "i", "view", 1.0)])
    before = events.last_number()
    remove(database, "u")
    events.append([Event("v", "i", "view", 2.0)])
    assert events.last_number() > before


def test_a_forgotten_user_stays_so_for_old_events_and_may_come_back(database: Database) -> None:
    events = EventStore(database)
    events.append([Event("u", "i", "view", 1.0), Event("v", "i", "view", 1.0)])
    assert remove(database, "u") == (1, 0)
    assert events.is_forgotten("u")
    assert events.append([Event("u", "i", "view", 1.0)]).forgotten == 1
    assert events.append([Event("u", "i", "view", 9e9)]).kept == 1
    assert events.count() == 2


def test_products_come_back_as_they_were_and_are_replaced(database: Database) -> None:
    catalogue = CatalogueStore(database)
    full = Product("a", "Lamp", "Warm light", ("home", "light"), "/a.jpg", 9.5, 3, "Lux", "lamps",
                   5.0, {"colours": ["red"]})  # fmt: skip
    catalogue.put([full, Product("b")])
    assert catalogue.all() == [full, Product("b")]
    catalogue.put([Product("a", "Lamp II")])
    assert catalogue.get(["a", "c"]) == {"a": Product("a", "Lamp II")}
    assert catalogue.remove(["a"]) == 1
    assert catalogue.count() == 1


def test_a_picture_that_is_not_told_is_the_one_of_that_moment(database: Database) -> None:
    catalogue = CatalogueStore(database)
    assert catalogue.put([Product("a", image="old.png"), Product("b", image="b.png")]) == 0
    catalogue.put([Product("a", image="new.png")])
    assert catalogue.put([Product("a", "Lamp"), Product("b"), Product("c")], keep_images={"a"}) == 2
    images = {id_: product.image for id_, product in catalogue.get(["a", "b", "c"]).items()}
    assert images == {"a": "new.png", "b": "", "c": ""}


def test_who_follows_a_catalogue_is_told_of_what_changed_alone(database: Database) -> None:
    catalogue = CatalogueStore(database)
    catalogue.put([Product(name) for name in "abc"])
    version = catalogue.version()
    assert catalogue.since(version).products == []
    catalogue.put([Product("b", price=2.0)])
    catalogue.remove(["c", "nothing"])
    found = catalogue.since(version)
    assert (found.products, found.gone) == ([Product("b", price=2.0)], ["c"])
    assert catalogue.since(found.version) == Changes(found.version, [], [])
    catalogue.put([Product("c")])
    assert catalogue.gone() == set()
    assert catalogue.keep_only(["a", "d"]) == 2
    assert catalogue.gone() == {"b", "c"}


def test_another_database_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="neither SQLite nor PostgreSQL"):
        Database("mysql://host/name")


INGEST = """
import sys
from pathlib import Path
from tiepoint_recommendation.storage.database import Database
from tiepoint_recommendation.storage.events import EventStore
from tiepoint_recommendation.types import Event
events = EventStore(Database.of_store(Path(sys.argv[1])))
for batch in range(100_000):
    events.append([Event(f"u{n}", f"i{batch}", "view", 1.0 + batch) for n in range(50)])
    print(batch, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INGEST, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(20)][-1] + 1
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    count = EventStore(Database.of_store(tmp_path)).count()
    assert count >= 50 * acknowledged
    assert count % 50 == 0
