"""Anomalies planted in ordinary footage, to check a camera of which no real ones are at hand.

Things that move are found against the clip's median picture and followed. One of them is cut out
and played again elsewhere in time: faster than it was, or wider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Kind: TypeAlias = Literal["fast", "wide"]

_DIFFERENT = 14  # grey levels from the background
_SMALLEST, _LARGEST = 40, 900  # pixels of a thing
_STEP = 6.0  # pixels that a thing moves in a frame at most
_SHORTEST = 40  # frames that it has to be followed
_WAY = 20.0  # pixels that it has to move in all
_EACH = 2  # things planted in a clip
_FASTER = (1.5, 2.2)
_WIDER = 1.8
_WIDER_SPEED = 1.25
_QUALITY = 82  # of JPEG, so that the edges of what was pasted are no sharper than the rest


@dataclass(frozen=True)
class Sighting:
    """A thing in one frame.

    Attributes:
        frame: Which.
        mask: (h, w) bool.
        centre: Its middle, (x, y) in pixels.
    """

    frame: int
    mask: NDArray[np.bool_]
    centre: NDArray[np.float64]


def plant(
    clip: NDArray[np.uint8], kind: Kind, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a clip with things planted in it, and which frames they are in.

    Args:
        clip: (n, h, w) uint8 of ordinary footage.
        kind: `fast`: 1.5 to 2.2 times as fast; `wide`: 1.8 times as wide, a quarter faster.
        seed: Of which things, how fast, and when.
    """
    chance = np.random.default_rng(seed)
    planted, marked = clip.copy(), np.zeros(len(clip), bool)
    tracks = followed(clip)
    for index in chance.permutation(len(tracks))[:_EACH]:
        track = tracks[index]
        speed = chance.uniform(*_FASTER) if kind == "fast" else _WIDER_SPEED
        length = int((len(track) - 1) / speed)
        start = int(chance.integers(10, max(11, len(clip) - length)))
        step = (track[-1].centre - track[0].centre) / (len(track) - 1)
        for k, frame in enumerate(range(start, min(start + length, len(clip)))):
            nearest = min(round(speed * k), len(track) - 1)
            seen = track[nearest]
            matrix = _moved(kind, seen, (speed * k - nearest) * step)
            marked[frame] |= _paste(planted[frame], clip[seen.frame], seen.mask, matrix)
    return np.stack([_compressed(picture) for picture in planted]), marked


def followed(clip: NDArray[np.uint8]) -> list[list[Sighting]]:
    """Return the things in a clip that can be followed and move along."""
    background = np.median(clip[::5], axis=0).astype(np.float32)
    ended: list[list[Sighting]] = []
    going: list[list[Sighting]] = []
    for frame, picture in enumerate(clip):
        left = _things(picture, background, frame)
        still_going = []
        for track in going:
            last = track[-1]
            near = [
                thing
                for thing in left
                if np.hypot(*(thing.centre - last.centre)) < _STEP
                and 0.6 < thing.mask.sum() / last.mask.sum() < 1.6
            ]
            if near:
                best = min(near, key=lambda thing: float(np.hypot(*(thing.centre - last.centre))))
                left = [thing for thing in left if thing is not best]
                track.append(best)
                still_going.append(track)
            else:
                ended.append(track)
        going = still_going + [[thing] for thing in left]
    return [
        track
        for track in ended + going
        if len(track) >= _SHORTEST and np.hypot(*(track[-1].centre - track[0].centre)) > _WAY
    ]


def _things(
    picture: NDArray[np.uint8], background: NDArray[np.float32], frame: int
) -> list[Sighting]:
    difference = cv2.GaussianBlur(np.abs(picture - background), (5, 5), 0)
    mask = (difference > _DIFFERENT).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask)
    return [
        Sighting(frame, labels == i, np.asarray(centres[i], np.float64))
        for i in range(1, count)
        if _SMALLEST < stats[i, cv2.CC_STAT_AREA] < _LARGEST
    ]


def _moved(kind: Kind, seen: Sighting, by: NDArray[np.float64]) -> NDArray[np.float32]:
    if kind == "wide":
        return np.array([[_WIDER, 0, (1 - _WIDER) * seen.centre[0]], [0, 1, 0]], np.float32)
    return np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)


def _paste(
    onto: NDArray[np.uint8],
    source: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    matrix: NDArray[np.float32],
) -> bool:
    size = (onto.shape[1], onto.shape[0])
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    place = cv2.warpAffine(grown, matrix, size, flags=cv2.INTER_NEAREST) > 0
    if int(place.sum()) < _SMALLEST:
        return False
    onto[place] = cv2.warpAffine(source, matrix, size)[place]
    return True


def _compressed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)
