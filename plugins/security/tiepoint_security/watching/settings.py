"""What of the deployment file is about watching: cameras, rules, and what is looked at how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from tiepoint.config.problems import nearest
from tiepoint.config.sections import Name, Section
from tiepoint_adapters.media.cameras.options import CameraOptions
from tiepoint_adapters.media.cameras.tampering import TamperSettings
from tiepoint_security.alerts.camera_faults import RULE as CAMERA_RULE
from tiepoint_security.behaviour.fights import FPS as FIGHT_FPS
from tiepoint_security.frigate.settings import FrigateSettings
from tiepoint_security.rules.places import Line, Zone
from tiepoint_security.rules.settings import RuleOverride, RuleSettings
from tiepoint_security.scene.detectors import DetectorSettings

Place = tuple[str | int, ...]
Mistake = tuple[Place, str]


class CameraSettings(CameraOptions):
    """One camera: where it is, and what is where in its picture."""

    zones: dict[Name, Zone] = Field(
        default_factory=dict,
        title="Zones",
        description="Polygons by name, their corners in parts of width and height.",
        examples=[{"yard": [[0.1, 0.5], [0.9, 0.5], [0.9, 1], [0.1, 1]]}],
    )
    lines: dict[Name, Line] = Field(
        default_factory=dict,
        title="Lines",
        description="Lines by name, from one end to the other.",
        examples=[{"fence": [[0, 0.4], [1, 0.5]]}],
    )
    normality: Path | None = Field(
        default=None,
        title="Normality",
        description="The folder that `tiepoint security fit` wrote; if not given, what is ordinary"
        " is learned from the camera itself.",
    )
    rules: dict[Name, RuleOverride] = Field(
        default_factory=dict,
        title="Rules",
        description="What is different about rules on this camera, by rule.",
    )


class LearningSettings(Section):
    """How a camera's ordinary footage is learned from the camera itself."""

    seconds: float = Field(
        default=600.0,
        ge=40,
        le=7200,
        title="Seconds",
        description="How much footage motion is learned from before `abnormal` says anything.",
    )
    on_line: bool = Field(
        default=True,
        title="On line",
        description="Whether what stays ordinary goes on to move the limits of motion.",
    )


class EvidenceSettings(Section):
    """What is kept of an alert."""

    before_s: float = Field(
        default=5.0,
        ge=0,
        le=60,
        title="Before",
        description="Seconds of the clip before the alert.",
    )
    after_s: float = Field(
        default=5.0, ge=0, le=120, title="After", description="Seconds of the clip after it."
    )
    clips: bool = Field(default=True, title="Clips", description="Whether clips are written.")


class MetricsSettings(Section):
    """Where Prometheus finds the figures of this process."""

    port: int = Field(ge=1, le=65_535, title="Port", description="The port to listen on.")
    address: str = Field(
        default="127.0.0.1", title="Address", description="The address to listen on."
    )


class RayWorkerSettings(Section):
    """Workers as actors of a Ray cluster."""

    count: int = Field(default=2, ge=1, le=256, title="Count", description="How many workers.")
    cores: int = Field(default=1, ge=1, le=64, title="Cores", description="Cores of each worker.")
    address: str | None = Field(
        default=None,
        title="Address",
        description="`auto` or `host:port` of a cluster; one on this machine if not given.",
    )


class WorkerSettings(Section):
    """How several processes share the cameras, on one database."""

    lease_s: float = Field(
        default=15.0,
        ge=1,
        le=600,
        title="Lease",
        description="Seconds after which the cameras of a worker that died are taken over.",
    )
    ray: RayWorkerSettings | None = Field(
        default=None,
        title="Ray",
        description="Watch in actors of a Ray cluster, which this process starts; if not given,"
        " this process is a worker itself.",
    )


class WatchSettings(Section):
    """Cameras, and the rules that they are watched by."""

    cameras: dict[Name, CameraSettings] = Field(
        default_factory=dict, title="Cameras", description="The cameras, by name."
    )
    rules: dict[Name, RuleSettings] = Field(
        default_factory=dict, title="Rules", description="What raises alerts, by name."
    )
    encoder: Name | None = Field(
        default=None,
        title="Encoder",
        description="The encoder of pictures that tells what things look like; that of the"
        " alignment if not given.",
    )
    detector: DetectorSettings | None = Field(
        default=None,
        title="Detector",
        description="What finds things in frames in which something moves: `{type: onnx, ...}` or"
        " `{type: pedestrians}`; if not given, what differs from the background is a thing.",
    )
    learning: LearningSettings = Field(
        default_factory=LearningSettings,
        title="Learning",
        description="How ordinary footage is learned.",
    )
    tampering: TamperSettings = Field(
        default_factory=TamperSettings,
        title="Tampering",
        description="When a camera's picture shows no scene.",
    )
    evidence: EvidenceSettings = Field(
        default_factory=EvidenceSettings, title="Evidence", description="What is kept of an alert."
    )
    metrics: MetricsSettings | None = Field(
        default=None, title="Metrics", description="Where Prometheus asks; nowhere if not given."
    )

    frigate: FrigateSettings | None = Field(
        default=None,
        title="Frigate",
        description="An existing Frigate installation whose events raise alerts, too.",
    )
    workers: WorkerSettings | None = Field(
        default=None,
        title="Workers",
        description="How processes with the same deployment share its cameras; if not given, this"
        " process watches all of them.",
    )

    def rules_of(self, camera: str) -> dict[str, RuleSettings]:
        """Return the rules that a camera is watched by, as they are there."""
        section = self.cameras[camera]
        found = {}
        for name, rule in self.rules.items():
            if rule.cameras and camera not in rule.cameras:
                continue
            here = section.rules.get(name, RuleOverride()).of(rule)
            if here is not None and (rule.cameras or not list(_unknown_places(here, section))):
                found[name] = here
        return found

    @model_validator(mode="after")
    def _fits_together(self) -> WatchSettings:
        mistakes = [*self._names(), *self._references(), *self._places(), *self._rates()]
        if mistakes:
            raise mistaken(type(self).__name__, mistakes)
        return self

    def _names(self) -> Iterator[Mistake]:
        for key, names in (("cameras", self.cameras), ("rules", self.rules)):
            seen: dict[str, str] = {}
            for name in names:
                other = seen.setdefault(name.casefold(), name)
                if other != name:
                    yield (key, name), f"the names {other!r} and {name!r} cannot be told apart"
        if CAMERA_RULE in self.rules:
            yield (
                ("rules", CAMERA_RULE),
                f"the name {CAMERA_RULE!r} is taken by alerts about cameras",
            )
        for camera, section in self.cameras.items():
            for name in section.zones.keys() & section.lines.keys():
                place = ("cameras", camera, "lines", name)
                yield place, f"a zone of this camera is called {name!r}, too"

    def _references(self) -> Iterator[Mistake]:
        for rule, settings in self.rules.items():
            for number, camera in enumerate(settings.cameras):
                if camera not in self.cameras:
                    place: Place = ("rules", rule, "cameras", number)
                    yield place, _unknown("camera", camera, self.cameras)
        for camera, section in self.cameras.items():
            for name, override in section.rules.items():
                place = ("cameras", camera, "rules", name)
                if name not in self.rules:
                    yield place, _unknown("rule", name, self.rules)
                elif override.when is not None:
                    for step, what in _unknown_places(
                        self.rules[name].model_copy(update={"when": override.when}), section
                    ):
                        yield (*place, *step), what

    def _places(self) -> Iterator[Mistake]:
        for name, rule in self.rules.items():
            chosen = [one for one in rule.cameras if one in self.cameras] or list(self.cameras)
            wrong = {
                camera: list(_unknown_places(rule, self.cameras[camera]))
                for camera in chosen
                if self.cameras[camera].rules.get(name, RuleOverride()).when is None
            }
            if rule.cameras:
                for camera, found in wrong.items():
                    for step, what in found:
                        yield ("rules", name, *step), f"on the camera {camera!r}, {what}"
            elif wrong and all(wrong.values()):
                for step, what in next(iter(wrong.values())):
                    yield ("rules", name, *step), f"{what} (and no camera has all that it names)"

    def _rates(self) -> Iterator[Mistake]:
        for camera, section in self.cameras.items():
            for name, rule in self.rules_of(camera).items():
                fights = any(kind == "fight" for _, kind, _ in rule.when.triggers())
                if fights and section.fps != FIGHT_FPS:
                    yield (
                        ("cameras", camera, "fps"),
                        f"the rule {name!r} looks for fights, which needs {FIGHT_FPS:g} frames a"
                        f" second; write `fps: {FIGHT_FPS:g}`",
                    )


def _unknown_places(rule: RuleSettings, camera: CameraSettings) -> Iterator[Mistake]:
    """Yield the zones and lines that a rule names and a camera does not have."""
    for place, _, trigger in rule.when.triggers(("when",)):
        for number, zone in enumerate(getattr(trigger, "zones", ())):
            if zone not in camera.zones:
                yield (*place, "zones", number), _unknown("zone", zone, camera.zones)
        line = getattr(trigger, "line", None)
        if line is not None and line not in camera.lines:
            yield (*place, "line"), _unknown("line", line, camera.lines)


def _unknown(noun: str, name: str, known: dict[Any, Any]) -> str:
    hint = nearest(name, known, f"The {noun}s").rstrip(".")
    return f"there is no {noun} {name!r}. {hint}"


def mistaken(title: str, mistakes: Sequence[Mistake]) -> ValidationError:
    """Return the error that says each mistake at its own place below a section.

    Args:
        title: The section.
        mistakes: Places and what is wrong there.
    """
    return ValidationError.from_exception_data(title, [_detail(*one) for one in mistakes])


def _detail(place: Place, what: str) -> InitErrorDetails:
    escaped = what.replace("{", "{{").replace("}", "}}")
    return InitErrorDetails(type=PydanticCustomError("watching", escaped), loc=place, input=None)
