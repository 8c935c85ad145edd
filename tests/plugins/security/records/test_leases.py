"""Leases of cameras among workers, in SQLite and PostgreSQL."""

from __future__ import annotations

from tests.simulated_clock import SimulatedClock
from tiepoint_security.records.database import Database
from tiepoint_security.records.leases import Leases

CAMERAS = ("gate", "hall", "yard")


def test_cameras_are_shared_evenly_and_those_of_a_dead_worker_taken_over(
    database: Database, clock: SimulatedClock
) -> None:
    ann, bob = (Leases(database, name, clock, 10.0) for name in ("ann", "bob"))
    assert ann.renew(CAMERAS) == set(CAMERAS)
    assert bob.renew(CAMERAS) == set()  # all are held, for a while
    kept = ann.renew(CAMERAS)
    assert len(kept) == 2  # an even share is left
    assert bob.renew(CAMERAS) == set(CAMERAS) - kept
    clock.pass_by(6.0)
    bob.renew(CAMERAS)
    clock.pass_by(6.0)  # nothing of ann for twelve seconds
    assert bob.renew(CAMERAS) == set(CAMERAS)
    assert len(ann.renew(CAMERAS)) == 0
    bob.give_back()
    assert ann.renew(CAMERAS) == set(CAMERAS)
