"""Reviews, evidence, retention and export."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.simulated_clock import SimulatedClock
from tiepoint.errors import InputError
from tiepoint_security.alerts.alert import Alert
from tiepoint_security.alerts.observation import Observation
from tiepoint_security.records.archive import Archive, Question
from tiepoint_security.records.audit import audit_log
from tiepoint_security.records.database import Database
from tiepoint_security.records.evidence import EvidenceStore
from tiepoint_security.records.export import export
from tiepoint_security.records.ledger import Ledger
from tiepoint_security.records.limits import RetentionSettings
from tiepoint_security.records.retention import Retention

DAY_S = 86_400.0


class House:
    """Everything that keeps, over one database."""

    def __init__(self, database: Database, clock: SimulatedClock, folder: Path) -> None:
        self.clock = clock
        self.ledger = Ledger(database, clock)
        self.audit = audit_log(database, clock)
        self.archive = Archive(self.audit, clock)
        self.evidence = EvidenceStore(folder, database, clock)

    def happen(self, severity: Any = "warning", content: bytes = b"", ended: bool = True) -> str:
        """Record an alert with a snapshot; return its id."""
        alert = Alert.raised(Observation("gate", "r", 0.9, severity=severity), self.clock)
        alert.tracks.add(("gate", ""))
        alert.ended_wall_s = self.clock.wall() if ended else None
        self.ledger.record(alert, [])
        if content:
            file = self.evidence.folder / f"{alert.id}.jpg"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
            self.evidence.add(alert.id, "snapshot", file)
        return alert.id

    def keep(self, **settings: Any) -> Retention:
        return Retention(RetentionSettings(**settings), self.evidence, self.audit)

    @property
    def ids(self) -> set[str]:
        return {alert["id"] for alert in self.archive.find(Question(most=1000))}


@pytest.fixture
def house(database: Database, clock: SimulatedClock, tmp_path: Path) -> House:
    return House(database, clock, tmp_path / "evidence")


def test_each_user_has_a_review_and_looking_again_takes_nothing_back(house: House) -> None:
    alert = house.happen()
    house.archive.view(alert, "ada")
    house.archive.judge(alert, "bob", "false_alarm", "a cat")
    house.archive.view(alert, "bob")
    (found,) = house.archive.find(Question())
    verdicts = {review["user"]: review["verdict"] for review in found["reviews"]}
    assert verdicts == {"ada": "viewed", "bob": "false_alarm"}
    assert found["acknowledged_by"] == "bob"
    actions = [line["action"] for line in house.audit.lines(subject=alert)]
    assert actions == ["viewed", "false_alarm", "viewed"]


def test_false_alarms_are_there_for_calibration_unless_somebody_disagrees(house: House) -> None:
    one, other, disputed = house.happen(), house.happen(), house.happen()
    for alert in (one, other, disputed):
        house.archive.judge(alert, "ada", "false_alarm")
    house.archive.judge(disputed, "bob", "confirmed")
    assert {alert["id"] for alert in house.archive.false_alarms("gate", "r")} == {one, other}
    assert house.archive.false_alarms("yard") == []


def test_alerts_are_found_by_what_is_asked(house: House) -> None:
    old = house.happen("info")
    house.clock.pass_by(100)
    since_s = house.clock.wall()
    new = house.happen("critical")
    house.archive.acknowledge(old, "ada")
    assert [a["id"] for a in house.archive.find(Question())] == [new, old]
    for question, expected in [
        (Question(least="warning"), {new}),
        (Question(since_s=since_s), {new}),
        (Question(until_s=since_s), {old}),
        (Question(open_only=True), {new}),
        (Question(camera="yard"), set()),
        (Question(rule="r", most=1), {new}),
    ]:
        assert {a["id"] for a in house.archive.find(question)} == expected


def test_unknown_alert_is_refused_and_not_noted(house: House) -> None:
    for act in (house.archive.view, house.archive.acknowledge):
        with pytest.raises(InputError, match="no such alert"):
            act("nosuch", "ada")
    assert house.audit.verify().lines == 0


def test_alerts_go_when_their_severity_is_old_enough(house: House) -> None:
    mild, bad = house.happen("info", b"1"), house.happen("critical", b"2")
    house.clock.pass_by(10 * DAY_S)
    going_on = house.happen("info", b"3", ended=False)
    removed = house.keep().run()
    assert house.ids == {bad, going_on}
    assert (removed.alerts, removed.files, removed.bytes) == (1, 1, 1)
    assert not (house.evidence.folder / f"{mild}.jpg").exists()
    assert (house.evidence.folder / f"{bad}.jpg").exists()
    (line,) = house.audit.lines()
    assert (line["user"], line["action"]) == ("retention", "removed")
    house.clock.pass_by(1000 * DAY_S)
    house.keep().run()
    assert house.ids == {going_on}


def test_mildest_and_oldest_go_first_when_there_is_too_much(house: House) -> None:
    content = b"x" * 1000
    ids = [house.happen("critical", content)]
    for severity in ("info", "info", "warning"):
        house.clock.pass_by(1)
        ids.append(house.happen(severity, content))
    house.keep(most_gib=2500 / 2**30).run()
    assert house.ids == {ids[0], ids[3]}


def test_evidence_that_is_gone_already_stops_nothing(house: House) -> None:
    alert = house.happen("info", b"1")
    (house.evidence.folder / f"{alert}.jpg").unlink()
    house.clock.pass_by(10 * DAY_S)
    house.keep().run()
    assert house.ids == set()


def test_files_that_nobody_added_go_after_a_day(house: House) -> None:
    kept = house.happen("critical", b"1")
    now_s = house.clock.wall()
    for name, age_s in {"old.jpg": 2 * DAY_S, "new.jpg": 60}.items():
        (house.evidence.folder / name).write_bytes(b"x")
        os.utime(house.evidence.folder / name, (now_s - age_s,) * 2)
    os.utime(house.evidence.folder / f"{kept}.jpg", (0, 0))
    house.keep().run()
    left = {file.name for file in house.evidence.folder.iterdir()}
    assert left == {"new.jpg", f"{kept}.jpg"}


def test_evidence_from_elsewhere_is_refused(house: House, tmp_path: Path) -> None:
    alert = house.happen()
    (tmp_path / "secret").write_text("x")
    with pytest.raises(InputError, match="not in the folder"):
        house.evidence.add(alert, "snapshot", tmp_path / "secret")


def test_export_can_be_checked_anywhere_and_is_noted(house: House, tmp_path: Path) -> None:
    alert = house.happen("warning", b"picture")
    house.archive.judge(alert, "ada", "confirmed")
    made = export([alert], tmp_path / "out", "bob", house.archive, house.evidence)
    assert made.files == 2
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    subprocess.run(check, cwd=tmp_path / "out", check=True, capture_output=True)
    assert (tmp_path / "out" / alert / "snapshot.jpg").read_bytes() == b"picture"
    described = json.loads((tmp_path / "out" / alert / "alert.json").read_text())
    assert described["reviews"][0]["user"] == "ada"
    assert described["audit"][0]["action"] == "confirmed"
    line = house.audit.lines(subject=alert)[-1]
    assert (line["user"], line["action"]) == ("bob", "exported")
    assert line["details"]["sha256"] == made.sha256


def test_evidence_that_was_changed_is_not_exported_as_if_it_were_whole(
    house: House, tmp_path: Path
) -> None:
    alert = house.happen("warning", b"picture")
    (house.evidence.folder / f"{alert}.jpg").write_bytes(b"forged!")
    made = export([alert], tmp_path / "out", "bob", house.archive, house.evidence)
    assert made.damaged == (f"{alert}.jpg: it was changed",)
    assert not (tmp_path / "out" / alert / "snapshot.jpg").exists()


def test_export_overwrites_nothing(house: House, tmp_path: Path) -> None:
    alert = house.happen()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(InputError, match="something already"):
        export([alert], tmp_path / "out", "bob", house.archive, house.evidence)
    with pytest.raises(InputError, match="no such alert"):
        export(["nosuch"], tmp_path / "new", "bob", house.archive, house.evidence)
