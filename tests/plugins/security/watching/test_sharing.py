"""Several workers on one database: each camera is watched by one of them, whoever dies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.footage import scene, write_video
from tests.waiting import until
from tiepoint.errors import StoreError
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.sinks.log import LogSink
from tiepoint_security.alarm import Alarm
from tiepoint_security.records.archive import Question
from tiepoint_security.settings import AlarmSettings
from tiepoint_security.watching.live import LiveWatch
from tiepoint_security.watching.settings import WatchSettings


def test_alert_goes_on_under_its_id_when_another_worker_takes_the_camera_over(
    tmp_path: Path,
) -> None:
    file = write_video(tmp_path / "square.mp4", [scene(n) for n in range(200)])
    zone = [[0, 0], [1, 0], [1, 1], [0, 1]]
    settings = WatchSettings.model_validate(
        {
            "cameras": {
                "gate": {"address": str(file), "loop": True, "fps": 10, "zones": {"all": zone}}
            },
            "rules": {"inside": {"when": {"intrusion": {"zones": ["all"]}}}},
            "workers": {"lease_s": 1.5},
        }
    )

    def worker(name: str) -> tuple[Alarm, LiveWatch]:
        given = AlarmSettings()
        alarm = Alarm(given, {"log": LogSink()}, str(tmp_path / "data"), name)
        alarm.start(restores=False)
        watch = LiveWatch(settings, None, alarm, SystemClock())
        watch.start()
        return alarm, watch

    first, first_watch = worker("first")
    until(lambda: first.desk.health()["active"])
    second, second_watch = worker("second")
    time.sleep(1.0)
    assert second_watch.health()["sharing"]["cameras"] == []
    assert second.desk.health()["active"] == 0
    [alert] = second.records.archive.find(Question())
    # The first worker hangs: its leases run out, and it lets the camera go by itself.
    assert first_watch.sharing is not None
    first_watch.sharing._leases.renew = _hang  # type: ignore[method-assign]
    until(lambda: second_watch.health()["sharing"]["cameras"] == ["gate"])
    until(lambda: first_watch.health()["sharing"]["cameras"] == [])
    until(lambda: second_watch.health()["cameras"]["gate"]["analysed"] > 5)
    assert alert["id"] in {one["id"] for one in second.records.archive.find(Question())}
    assert first.desk.health()["active"] == 0
    for watch, alarm in ((second_watch, second), (first_watch, first)):
        watch.stop()
        alarm.stop()


def _hang(*_: Any) -> Any:
    raise StoreError("the database is out of reach")
