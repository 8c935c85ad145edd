"""Recall against queries per second, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tiepoint.errors import InputError


def draw(
    points: Mapping[str, Sequence[tuple[float, float]]], path: Path, title: str, k: int
) -> None:
    """Draw a line for each engine; one point alone is a cross.

    Args:
        points: (recall, queries per second) by engine.
        path: The picture; its suffix says which form.
        title: Stands above it.
        k: Neighbours that were looked for.

    Raises:
        InputError: matplotlib is not installed, or the picture cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "pictures need the package matplotlib",
            where=str(path),
            hint="pip install 'tiepoint[bench]'",
        ) from error
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, line in points.items():
        marker = "o-" if len(line) > 1 else "X"
        axes.plot(
            *zip(*line, strict=True), marker, label=name, markersize=4 if len(line) > 1 else 9
        )
    axes.set_xlabel(f"recall@{k}")
    axes.set_ylabel("queries per second, one at a time")
    axes.set_yscale("log")
    axes.set_title(title)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the picture cannot be written ({error!s:.80})",
            where=str(path),
            hint="Give a .png or .svg file in a folder that exists.",
        ) from error
