"""People-like figures: a body of lines whose limbs swing, drawn at a place of a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from tiepoint.encoders.images import Pixels

Colour = tuple[int, int, int]
Point = tuple[float, float]

_STRIDE = 0.8  # the length of two steps, in heights
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class Clothes:
    """The colours of a figure, RGB."""

    shirt: Colour
    trousers: Colour
    skin: Colour = (214, 170, 140)
    hair: Colour = (50, 36, 28)


@dataclass(frozen=True, slots=True)
class Posture:
    """Angles in radians from hanging straight down, forwards positive, and the lean.

    Attributes:
        legs: Of both thighs.
        knees: How far both shins are bent back from the thighs.
        arms: Of both upper arms.
        elbows: How far both forearms are bent forwards.
        lean: Of the body, forwards positive.
    """

    legs: Point = (0.0, 0.0)
    knees: Point = (0.0, 0.0)
    arms: Point = (0.05, -0.05)
    elbows: Point = (0.1, 0.1)
    lean: float = 0.0


def walking(distance: float) -> Posture:
    """Return the posture of someone who has walked so far, in own heights."""
    phase = 2 * math.pi * distance / _STRIDE
    swing, other = math.sin(phase), math.sin(phase + math.pi)
    lift, other_lift = max(0.0, math.cos(phase)), max(0.0, math.cos(phase + math.pi))
    return Posture(
        legs=(0.5 * swing, 0.5 * other),
        knees=(0.15 + 0.7 * lift, 0.15 + 0.7 * other_lift),
        arms=(0.45 * other, 0.45 * swing),
        elbows=(0.35, 0.35),
        lean=0.05,
    )


def standing(seconds: float, own: float = 0.0) -> Posture:
    """Return the posture of someone who stands and shifts a little.

    Args:
        seconds: The time.
        own: What makes this one's shifts differ from another's.
    """
    shift = 0.04 * math.sin(0.9 * seconds + own)
    return Posture(arms=(0.06 + shift, -0.06 + shift), lean=shift / 2)


def striking(seconds: float, own: float = 0.0) -> Posture:
    """Return the posture of someone who strikes and staggers; arguments as for `standing`."""
    beat = 2 * math.pi * 1.6 * seconds + own
    return Posture(
        legs=(0.35 * math.sin(beat / 2), -0.3 * math.sin(beat / 2 + 0.7)),
        knees=(0.3, 0.3),
        arms=(1.3 + 0.9 * math.sin(beat), 1.2 + 0.9 * math.sin(beat + 2.2)),
        elbows=(0.9 * (1 - math.sin(beat)), 0.9 * (1 - math.sin(beat + 2.2))),
        lean=0.25 * math.sin(beat + 1.1),
    )


def draw_figure(
    picture: Pixels, feet: Point, height: float, facing: int, posture: Posture, clothes: Clothes
) -> None:
    """Draw a figure into a picture.

    Args:
        picture: (h, w, 3) uint8 RGB; changed.
        feet: Where it stands, in pixels.
        height: In pixels.
        facing: 1 to the right, -1 to the left.
        posture: Its limbs.
        clothes: Its colours.
    """
    hip = (feet[0], feet[1] - 0.48 * height)
    shoulder = _from(hip, math.pi - posture.lean, 0.32 * height, facing)
    head = _from(shoulder, math.pi - posture.lean, 0.13 * height, facing)
    _draw_limbs(picture, hip, posture.legs, _minus(posture.knees), 0.25, height, facing, clothes)
    _line(picture, hip, shoulder, 0.2 * height, clothes.shirt)
    _draw_arms(picture, shoulder, posture, height, facing, clothes)
    _disc(picture, head, 0.07 * height, clothes.skin)
    crown = (head[0] - 0.015 * height * facing, head[1] - 0.03 * height)
    _disc(picture, crown, 0.058 * height, clothes.hair)


def _draw_limbs(
    picture: Pixels,
    hip: Point,
    upper: Point,
    bends: Point,
    length: float,
    height: float,
    facing: int,
    clothes: Clothes,
) -> None:
    for angle, bend, shade in zip(upper, bends, (0.8, 1.0), strict=True):
        knee = _from(hip, angle, length * height, facing)
        foot = _from(knee, angle + bend, length * height, facing)
        colour = _shaded(clothes.trousers, shade)
        _line(picture, hip, knee, 0.095 * height, colour)
        _line(picture, knee, foot, 0.075 * height, colour)
        toe = (foot[0] + 0.05 * height * facing, foot[1])
        _line(picture, foot, toe, 0.05 * height, (35, 30, 30))


def _draw_arms(
    picture: Pixels, shoulder: Point, posture: Posture, height: float, facing: int, clothes: Clothes
) -> None:
    for angle, bend, shade in zip(posture.arms, posture.elbows, (0.75, 0.9), strict=True):
        elbow = _from(shoulder, angle, 0.17 * height, facing)
        hand = _from(elbow, angle + bend, 0.16 * height, facing)
        _line(picture, shoulder, elbow, 0.07 * height, _shaded(clothes.shirt, shade))
        _line(picture, elbow, hand, 0.055 * height, _shaded(clothes.shirt, shade))
        _disc(picture, hand, 0.03 * height, clothes.skin)


def _from(place: Point, angle: float, length: float, facing: int) -> Point:
    """Return the end of a limb; angle 0 hangs down, positive points where the figure faces."""
    return place[0] + facing * length * math.sin(angle), place[1] + length * math.cos(angle)


def _minus(pair: Point) -> Point:
    return -pair[0], -pair[1]


def _shaded(colour: Colour, shade: float) -> Colour:
    red, green, blue = (min(255, round(part * shade)) for part in colour)
    return red, green, blue


def _fixed(place: Point) -> tuple[int, int]:
    scale = 1 << _SUBPIXEL_BITS
    return round(place[0] * scale), round(place[1] * scale)


def _line(picture: Pixels, start: Point, end: Point, width: float, colour: Colour) -> None:
    """Draw a thick line with round ends, between pixels."""
    sideways = np.array([end[1] - start[1], start[0] - end[0]], np.float64)
    length = float(np.hypot(*sideways))
    if length > 0:
        offset = sideways / length * width / 2
        corners = [
            (start[0] + offset[0], start[1] + offset[1]),
            (end[0] + offset[0], end[1] + offset[1]),
            (end[0] - offset[0], end[1] - offset[1]),
            (start[0] - offset[0], start[1] - offset[1]),
        ]
        polygon = np.array([_fixed(corner) for corner in corners], np.int32)
        cv2.fillConvexPoly(picture, polygon, colour, cv2.LINE_AA, _SUBPIXEL_BITS)
    for place in (start, end):
        _disc(picture, place, width / 2, colour)


def _disc(picture: Pixels, place: Point, radius: float, colour: Colour) -> None:
    size = max(1, round(radius * (1 << _SUBPIXEL_BITS)))
    cv2.circle(picture, _fixed(place), size, colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
