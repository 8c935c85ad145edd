"""The options that the commands of `tiepoint align` share, as one value each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from tiepoint.cli.json_file import json_option

PRESETS = ("fast", "accurate")

PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class PairChoice:
    """Which pairs, and which encoders.

    Attributes:
        pairs_file: The file of pairs.
        root: The folder of the images; that of the file if None.
        languages: The languages that are kept; all if empty.
        config: A deployment file that names the encoders.
        preset: An embedded default that names the encoders.
        strict: Whether a part that cannot be read ends the command.
    """

    pairs_file: Path
    root: Path | None
    languages: tuple[str, ...]
    config: Path | None
    preset: str | None
    strict: bool

    @property
    def folder(self) -> Path:
        """The folder that the images' paths are relative to."""
        return self.root or self.pairs_file.parent


@dataclass(frozen=True)
class HeldOutChoice:
    """Which aligner is looked at, on which split.

    Attributes:
        split: The split.
        aligner_folder: A saved aligner, or None for that of the deployment.
        json_file: Where figures are written, `-` for stdout, or None.
    """

    split: str
    aligner_folder: Path | None
    json_file: Path | None


def pair_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `PairChoice`, as its argument `chosen`."""
    return _with(
        command,
        "chosen",
        PairChoice,
        click.option(
            "--pairs", "pairs_file", type=PATH, required=True, help="CSV: image,text,lang,split."
        ),
        click.option(
            "--root", type=PATH, help="Folder of the images; that of the pairs if not given."
        ),
        click.option(
            "--lang",
            "languages",
            multiple=True,
            metavar="LANG",
            help="Repeatable; all if not given.",
        ),
        click.option("--config", type=PATH, help="Encoders of this deployment file's alignment."),
        click.option(
            "--preset", type=click.Choice(PRESETS), help="Encoders of the embedded default."
        ),
        click.option("--strict", is_flag=True, help="End with code 2 at the first broken part."),
    )


def held_out_options(split: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of `HeldOutChoice`, as its argument `held_out`.

    Args:
        split: The split if none is named.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return _with(
            command,
            "held_out",
            HeldOutChoice,
            click.option("--split", default=split, show_default=True, help="The split."),
            click.option(
                "--aligner",
                "aligner_folder",
                type=PATH,
                help="A saved aligner; that of --config, or the default one, if not given.",
            ),
            json_option,
        )

    return decorate


def _with(
    command: Callable[..., Any], name: str, made: type[Any], *options: Callable[..., Any]
) -> Callable[..., Any]:
    """Add options to a command, which gets them as one value of a dataclass."""
    names = [field.name for field in fields(made)]

    @functools.wraps(command)
    def packed(**given: Any) -> Any:
        value = made(**{key: given.pop(key) for key in names})
        return command(**{name: value}, **given)

    for option in reversed(options):
        packed = option(packed)
    return packed
