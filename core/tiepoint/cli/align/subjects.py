"""The aligner or the encoders that a command of `tiepoint align` is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiepoint.cli.align.options import PRESETS
from tiepoint.errors import ConfigError

if TYPE_CHECKING:
    from tiepoint.alignment.base import Aligner
    from tiepoint.config.models import Deployment
    from tiepoint.encoders.base import Encoder


@dataclass(frozen=True)
class ChosenEncoders:
    """Encoders by modality, and the sections of a deployment file that name them."""

    encoders: dict[str, Encoder]
    sections: dict[str, dict[str, Any]]

    def adapted(self, encoders: Mapping[str, Encoder]) -> ChosenEncoders:
        """Return the encoders with an adapter that lies in the aligner's folder."""
        sections = {m: {**section, "adapter": "."} for m, section in self.sections.items()}
        return ChosenEncoders(dict(encoders), sections)


@dataclass(frozen=True)
class Subject:
    """An aligner to look at, with its encoders by modality and what to call it."""

    aligner: Aligner
    encoders: dict[str, Encoder]
    name: str


def chosen_encoders(config: Path | None, preset: str | None) -> ChosenEncoders:
    """Return the encoders that an aligner is to be fitted for.

    Raises:
        ConfigError: The deployment file is wrong, or aligns nothing.
    """
    from tiepoint import registry
    from tiepoint.assembly import build

    deployment = _deployment(config, preset)
    if deployment.alignment is None:
        raise ConfigError(
            "the deployment aligns nothing",
            where=f"{config}: alignment",
            hint="Add an alignment with the encoders of each modality.",
        )
    sections = {m: deployment.encoders[name] for m, name in deployment.alignment.encoders.items()}
    return ChosenEncoders(
        {m: build(registry.ENCODERS, s, f"encoders.{m}") for m, s in sections.items()},
        {m: s.model_dump(mode="json") for m, s in sections.items()},
    )


def subject(aligner: Path | None, config: Path | None, preset: str | None) -> Subject:
    """Return an aligner with its encoders: a saved one, or that of a deployment.

    Args:
        aligner: The folder of a saved one.
        config: The deployment; without `aligner` its own aligner is meant.
        preset: The embedded default, instead of a deployment file.

    Raises:
        InputError: No aligner there, a damaged one, or one for other encoders.
    """
    from tiepoint.alignment.saved import load_aligner
    from tiepoint.assembly import Assembly

    if aligner is not None:
        named = config is not None or preset is not None
        encoders = chosen_encoders(config, preset).encoders if named else _of_card(aligner)
        return Subject(load_aligner(aligner, encoders), encoders, str(aligner))
    assembly = Assembly(_deployment(config, preset))
    if assembly.aligner is None:
        raise ConfigError("the deployment aligns nothing", where=f"{config}: alignment")
    name = str(config) if config is not None else f"the default ({preset or PRESETS[0]})"
    return Subject(assembly.aligner, dict(assembly.aligner.encoders), name)


def _of_card(folder: Path) -> dict[str, Encoder]:
    """The encoders that the aligner's card names; the embedded default's if it names none."""
    from tiepoint import registry
    from tiepoint.alignment.card import SAVED
    from tiepoint.assembly import build
    from tiepoint.config.models import EncoderSection

    sections = {m: _located(e.section, folder) for m, e in SAVED.read_card(folder).encoders.items()}
    if not all(sections.values()):
        return chosen_encoders(None, None).encoders
    return {
        m: build(registry.ENCODERS, EncoderSection.model_validate(s), f"{folder}: encoders.{m}")
        for m, s in sections.items()
    }


def _located(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return an encoder's section with the path of an adapter that lies in the same folder."""
    if section.get("adapter") != ".":
        return section
    return {**section, "adapter": str(folder)}


def _deployment(config: Path | None, preset: str | None) -> Deployment:
    if config is not None and preset is not None:
        raise ConfigError("give --config or --preset, not both")
    if config is not None:
        from tiepoint.config.loader import load

        return load(config)
    from tiepoint.embedded import embedded_deployment

    return embedded_deployment("tiepoint-data", preset or PRESETS[0])
