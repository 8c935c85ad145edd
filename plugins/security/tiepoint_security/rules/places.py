"""Places in the picture of a camera: zones and lines, as parts of its width and height."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

Point = tuple[float, float]
"""To the right and downwards, as parts of the picture's width and height, in [0, 1]."""


def _inside(points: tuple[Point, ...]) -> tuple[Point, ...]:
    for x, y in points:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(
                f"the corner ({x:g}, {y:g}) lies outside of the picture; corners are parts of its"
                " width and height, from 0 to 1"
            )
    return points


def _covers(corners: tuple[Point, ...]) -> tuple[Point, ...]:
    following = (*corners[1:], corners[0])
    if not sum(x * b - a * y for (x, y), (a, b) in zip(corners, following, strict=True)):
        raise ValueError("the zone covers nothing: its corners lie on one line")
    return corners


def _has_length(ends: tuple[Point, Point]) -> tuple[Point, Point]:
    if ends[0] == ends[1]:
        raise ValueError("the line has no length: both ends are the same")
    return ends


Zone = Annotated[
    tuple[Point, ...],
    Field(min_length=3, max_length=200),
    AfterValidator(_inside),
    AfterValidator(_covers),
]
"""The corners of a polygon."""

Line = Annotated[tuple[Point, Point], AfterValidator(_inside), AfterValidator(_has_length)]
"""The two ends; its sides are `left` and `right` of the way from the first to the second."""


def in_zone(point: Point, zone: tuple[Point, ...]) -> bool:
    """Return whether a point lies in a polygon (ray casting; a boundary counts to one side).

    >>> square = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
    >>> in_zone((0.5, 0.5), square), in_zone((0.9, 0.5), square)
    (True, False)
    """
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(zone, (*zone[1:], zone[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def crossing(before: Point, now: Point, line: tuple[Point, Point]) -> str | None:
    """Return to which side of a line a step goes, `left` or `right`; None if it does not cross.

    Left is the left hand of who walks from the line's first end to its second.

    >>> crossing((0.5, 0.4), (0.5, 0.6), ((0, 0.5), (1, 0.5)))
    'right'
    """
    start, end = line
    came, goes = _side(start, end, before), _side(start, end, now)
    if came * goes > 0 or came == goes:
        return None
    if _side(before, now, start) * _side(before, now, end) > 0:
        return None  # past one of its ends
    return "right" if goes > came else "left"


def _side(start: Point, end: Point, point: Point) -> float:
    """Return the cross product of the way from start to end with that to the point."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
