"""Pictures of the simulated things, drawn by code: a silhouette in its colour and pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiepoint_recommendation.simulation.catalogue import COLOURS, SimulatedItem

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

_BACKGROUND = (228, 222, 212)
_SOFT = 4  # drawn larger and made smaller, so that edges are smooth


def picture_of(item: SimulatedItem, size: int = 160) -> Image:
    """Return a picture of a thing; the same thing always looks the same.

    Args:
        item: What to draw.
        size: Width and height in pixels.
    """
    from PIL import Image, ImageDraw

    # A thing's number alone decides where it stands, so that pictures need no state.
    rng = np.random.default_rng(int(item.id[1:]))
    large = size * _SOFT // 2
    outline = Image.new("L", (large, large), 0)
    _SHAPES[item.kind](ImageDraw.Draw(outline), large / 100)
    across, down = (int(shift) for shift in rng.integers(-8, 9, 2))
    outline = outline.rotate(rng.uniform(-8, 8), translate=(across, down))
    shade = tuple(int(c * rng.uniform(0.92, 1.0)) for c in _BACKGROUND)
    picture = Image.new("RGB", (large, large), shade)
    picture.paste(_surface(item, large), mask=outline)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _surface(item: SimulatedItem, size: int) -> Image:
    """Return the colour and pattern that fill the silhouette."""
    from PIL import Image

    y, x = np.mgrid[0:size, 0:size] * (100 / size)
    marks = {
        "plain": np.zeros((size, size), np.bool_),
        "striped": (x // 6) % 2 == 1,
        "dotted": ((x % 12) - 6) ** 2 + ((y % 12) - 6) ** 2 < 10,
        "chequered": ((x // 9) + (y // 9)) % 2 == 1,
    }[item.pattern]
    ground = np.array(COLOURS[item.colour], np.float64)
    contrast = ground * 0.45 if ground.sum() > 350 else ground * 0.4 + 150
    pixels = np.where(marks[..., None], contrast, ground)
    light = 1.08 - 0.2 * (x / 100)[..., None]
    return Image.fromarray(np.clip(pixels * light, 0, 255).astype(np.uint8))


def _mug(draw: ImageDraw, unit: float) -> None:
    draw.rectangle(_box(28, 30, 64, 78, unit), 255)
    draw.arc(_box(54, 38, 82, 68, unit), -90, 90, 255, int(6 * unit))


def _teapot(draw: ImageDraw, unit: float) -> None:
    draw.ellipse(_box(28, 34, 72, 78, unit), 255)
    draw.polygon(_points([(66, 60), (90, 38), (94, 44), (70, 70)], unit), 255)
    draw.arc(_box(10, 40, 38, 70, unit), 90, 270, 255, int(5 * unit))
    draw.ellipse(_box(45, 26, 55, 36, unit), 255)


def _lamp(draw: ImageDraw, unit: float) -> None:
    draw.polygon(_points([(36, 18), (64, 18), (78, 52), (22, 52)], unit), 255)
    draw.rectangle(_box(47, 52, 53, 84, unit), 255)
    draw.rectangle(_box(34, 84, 66, 90, unit), 255)


def _desk(draw: ImageDraw, unit: float) -> None:
    draw.rectangle(_box(8, 40, 92, 50, unit), 255)
    draw.rectangle(_box(12, 50, 20, 88, unit), 255)
    draw.rectangle(_box(62, 50, 88, 88, unit), 255)


def _chair(draw: ImageDraw, unit: float) -> None:
    draw.rectangle(_box(30, 12, 38, 90, unit), 255)
    draw.rectangle(_box(30, 16, 44, 50, unit), 255)
    draw.rectangle(_box(30, 52, 72, 60, unit), 255)
    draw.rectangle(_box(64, 60, 72, 90, unit), 255)


def _cushion(draw: ImageDraw, unit: float) -> None:
    draw.rounded_rectangle(_box(18, 26, 82, 78, unit), 14 * unit, 255)


def _shirt(draw: ImageDraw, unit: float) -> None:
    body = [(34, 18), (44, 24), (56, 24), (66, 18), (90, 36), (80, 50), (70, 44), (70, 86)]
    draw.polygon(_points([*body, (30, 86), (30, 44), (20, 50), (10, 36)], unit), 255)


def _bag(draw: ImageDraw, unit: float) -> None:
    draw.polygon(_points([(24, 44), (76, 44), (86, 88), (14, 88)], unit), 255)
    draw.arc(_box(34, 20, 66, 68, unit), 180, 360, 255, int(5 * unit))


def _clock(draw: ImageDraw, unit: float) -> None:
    draw.ellipse(_box(16, 16, 84, 84, unit), 255)
    draw.line(_points([(50, 26), (50, 50), (68, 60)], unit), 0, int(5 * unit))


def _frame(draw: ImageDraw, unit: float) -> None:
    draw.rectangle(_box(16, 14, 84, 88, unit), 255)
    draw.rectangle(_box(32, 30, 68, 72, unit), 0)


def _vase(draw: ImageDraw, unit: float) -> None:
    draw.ellipse(_box(28, 40, 72, 90, unit), 255)
    draw.polygon(_points([(40, 12), (60, 12), (56, 50), (44, 50)], unit), 255)


def _rug(draw: ImageDraw, unit: float) -> None:
    draw.polygon(_points([(22, 36), (92, 36), (78, 74), (8, 74)], unit), 255)


_SHAPES = {
    "mug": _mug,
    "teapot": _teapot,
    "lamp": _lamp,
    "desk": _desk,
    "chair": _chair,
    "cushion": _cushion,
    "shirt": _shirt,
    "bag": _bag,
    "clock": _clock,
    "frame": _frame,
    "vase": _vase,
    "rug": _rug,
}


def _box(
    left: float, top: float, right: float, bottom: float, unit: float
) -> tuple[float, float, float, float]:
    return left * unit, top * unit, right * unit, bottom * unit


def _points(points: list[tuple[float, float]], unit: float) -> list[tuple[float, float]]:
    return [(x * unit, y * unit) for x, y in points]
