"""A fitted fusion in a deployment: whatever method its card names."""

from __future__ import annotations

from pathlib import Path

from tiepoint import registry
from tiepoint.errors import InputError
from tiepoint.fusion.card import SAVED
from tiepoint.fusion.fitted import FittedFusion


def saved_fusion(path: Path) -> FittedFusion:
    """Return the fusion in a folder that `tiepoint fusion fit` wrote.

    Args:
        path: The folder.

    Raises:
        InputError: No fusion there, or a damaged one.
        PluginError: Its method is not installed.
    """
    folder = Path(path)
    return fitted_fusion(SAVED.read_card(folder).method).load(folder)


def fitted_fusion(name: str) -> type[FittedFusion]:
    """Return the class of a method that is fitted.

    Raises:
        PluginError: It is not installed.
        InputError: It is a fusion that does not learn.
    """
    made = registry.load(registry.FUSIONS, name)
    if not (isinstance(made, type) and issubclass(made, FittedFusion)):
        raise InputError(
            f"the fusion {name!r} does not learn from labelled queries",
            hint="Choose learned-weights, attention or match-head.",
        )
    return made
