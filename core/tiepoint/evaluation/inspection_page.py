"""The page of `tiepoint align inspect`: one HTML file without scripts and remote parts."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tiepoint.encoders.images import read_image
from tiepoint.evaluation.inspection import Inspection

_PICTURE_PX = 160
_CURVE_PX = 240


def render(
    inspection: Inspection,
    title: str,
    images: Sequence[Path],
    texts: Sequence[str],
    labels: Sequence[str],
) -> str:
    """Return the page.

    Args:
        inspection: The findings.
        title: What was looked into.
        images: The files of the image rows.
        texts: The texts of the text rows.
        labels: The classes of the image rows; empty where there is none.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tiepoint.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    confusions = [
        {
            "text": texts[c.text],
            "rank": c.rank + 1,
            "margin": c.margin,
            "found": picture(images[c.found]),
            "right": picture(images[c.right]),
            "found_label": labels[c.found],
            "right_label": labels[c.right],
        }
        for c in inspection.confusions
    ]
    return environment.get_template("inspection.html.j2").render(
        title=title,
        figures=inspection.retrieval.as_dict(),
        interval=inspection.interval,
        geometry=inspection.geometry.as_dict(),
        curves={route: _curve(figures) for route, figures in inspection.calibration.items()},
        calibration=inspection.calibration,
        class_recall=inspection.class_recall,
        confusions=confusions,
        curve_px=_CURVE_PX,
    )


def picture(path: Path) -> str:
    """Return a small JPEG of an image as a data URI."""
    from PIL import Image

    small = Image.fromarray(read_image(path))
    small.thumbnail((_PICTURE_PX, _PICTURE_PX))
    content = io.BytesIO()
    small.save(content, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii")


def _curve(figures: dict[str, Any]) -> list[tuple[float, float]]:
    """Points of a reliability curve in the coordinates of the drawing."""
    return [
        (round(stated * _CURVE_PX, 1), round((1 - observed) * _CURVE_PX, 1))
        for stated, observed in zip(figures["stated"], figures["observed"], strict=True)
    ]
