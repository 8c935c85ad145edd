"""Whether a deployment has what the rules of its cameras need, told before anything is loaded."""

from __future__ import annotations

from tiepoint.errors import ConfigError
from tiepoint_security.normality.model import Normality
from tiepoint_security.rules.settings import TriggerSettings
from tiepoint_security.rules.triggers import AbnormalSettings, DescribedSettings
from tiepoint_security.scene.vision import Vision
from tiepoint_security.triggers.making import no_encoder
from tiepoint_security.triggers.motion_watch import require_rate
from tiepoint_security.watching.settings import WatchSettings


def require_needs(settings: WatchSettings, vision: Vision | None) -> None:
    """Refuse rules that could never say anything here.

    Args:
        settings: Of watching.
        vision: What makes vectors, its model not loaded; None without.

    Raises:
        ConfigError: A rule needs an encoder, an alignment or a picture that is not there, or a
            fitted normality has another frame rate than its camera.
        InputError: A fitted normality cannot be read.
    """
    for name, camera in settings.cameras.items():
        for rule, chosen in settings.rules_of(name).items():
            for step, _, trigger in chosen.when.triggers(("when",)):
                place = ".".join(str(part) for part in ("plugins.security.rules", rule, *step))
                _require(trigger, vision, place)
        if camera.normality is not None:
            require_rate(Normality.load(camera.normality), camera.fps, camera.normality)


def _require(trigger: TriggerSettings, vision: Vision | None, place: str) -> None:
    match trigger:
        case DescribedSettings(text=text, picture=picture):
            if vision is None:
                raise no_encoder("described", place)
            if text is not None:
                vision.words(place)
            elif picture is not None and not picture.is_file():
                raise ConfigError(
                    f"there is no picture {picture}", where=place, hint="Check the path."
                )
        case AbnormalSettings(by="looks"):
            if vision is None:
                raise no_encoder("abnormal by looks", place)
        case _:
            pass
