"""From the settings of triggers to triggers, for one camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiepoint.errors import ConfigError
from tiepoint_security.rules.places import Line, Zone
from tiepoint_security.rules.settings import TriggerSettings
from tiepoint_security.rules.triggers import (
    AbandonedSettings,
    AbnormalSettings,
    CrowdingSettings,
    DescribedSettings,
    FightSettings,
    IntrusionSettings,
    LineCrossingSettings,
    LoiteringSettings,
    WrongDirectionSettings,
)
from tiepoint_security.scene.ordinary import Ordinary
from tiepoint_security.scene.vision import Vision
from tiepoint_security.triggers.abnormal import AbnormalLooks, AbnormalMotion
from tiepoint_security.triggers.base import Trigger, Zones
from tiepoint_security.triggers.described import Described
from tiepoint_security.triggers.fight import Fight
from tiepoint_security.triggers.going import Crowding, Intrusion, LineCrossing, WrongDirection
from tiepoint_security.triggers.left_behind import Abandoned
from tiepoint_security.triggers.motion_watch import MotionWatch
from tiepoint_security.triggers.staying import Loitering


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What triggers of one camera rest on.

    Attributes:
        zones: The camera's.
        lines: The camera's.
        vision: What makes vectors; None where the deployment has no encoder of pictures.
        regions: What usually moves there.
        scenes: What the whole picture usually looks like.
        motion: How unusual motion is; None where no rule asks.
    """

    zones: Mapping[str, Zone]
    lines: Mapping[str, Line]
    vision: Vision | None
    regions: Ordinary | None
    scenes: Ordinary | None
    motion: MotionWatch | None


def make_trigger(settings: TriggerSettings, around: Surroundings) -> Trigger:
    """Return the trigger that settings ask for.

    Raises:
        ConfigError: It needs what the deployment does not have.
        DecodeError: An example picture cannot be read.
    """
    zones = Zones(around.zones, getattr(settings, "zones", ()))
    match settings:
        case DescribedSettings():
            kind = around.regions if settings.look_at == "regions" else around.scenes
            if around.vision is None or kind is None:
                raise no_encoder("described")
            return Described(settings, zones, around.vision, kind)
        case AbnormalSettings(by="looks"):
            if around.regions is None:
                raise no_encoder("abnormal by looks")
            return AbnormalLooks(zones, around.regions, settings.alerts_per_hour)
        case AbnormalSettings():
            if around.motion is None:
                raise ValueError("there is no motion")
            chosen = "alerts_per_hour" in settings.model_fields_set
            return AbnormalMotion(
                zones, around.motion, settings.alerts_per_hour if chosen else None
            )
        case IntrusionSettings():
            return Intrusion(zones)
        case LoiteringSettings():
            return Loitering(settings, zones)
        case WrongDirectionSettings():
            return WrongDirection(settings, zones)
        case LineCrossingSettings():
            return LineCrossing(settings, around.lines[settings.line])
        case AbandonedSettings():
            return Abandoned(settings, zones)
        case CrowdingSettings():
            return Crowding(settings, zones)
        case FightSettings():
            return Fight(settings)


def no_encoder(trigger: str, where: str = "plugins.security.encoder") -> ConfigError:
    """Return the error of a trigger that has no encoder.

    Args:
        trigger: Its name.
        where: What of the deployment asks for it.
    """
    return ConfigError(
        f"the trigger {trigger!r} needs an encoder of pictures",
        where=where,
        hint="Name an encoder of the deployment, or add `alignment`.",
    )
