"""One camera's understanding of its frames: what moves, since when, and what to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from tiepoint.encoders.images import Pixels
from tiepoint_adapters.media.cameras.frames import CameraFrame
from tiepoint_security.frames.flow import lag_frames
from tiepoint_security.frames.grey import Grey, grey_of
from tiepoint_security.frames.motion import moves
from tiepoint_security.scene.boxes import Detector, Found
from tiepoint_security.scene.foreground import Foreground
from tiepoint_security.scene.tracking import Tracker
from tiepoint_security.scene.view import Look, Region, View
from tiepoint_security.scene.vision import cut_out

LOOK_EVERY_S = 1.0
"""How often a thing that goes on being there is looked at again."""

_SECOND_LOOK_S = 0.4
_SCENE_EVERY_S = 1.0
_STILL_SCENE_EVERY_S = 60.0
_MOST_LOOKS = 4
_STILL_DETECT_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """A picture that should be looked at.

    Attributes:
        view: The frame that it is of.
        region: What is in it; None for the whole picture.
        pixels: (h, w, 3) uint8 RGB.
    """

    view: View
    region: Region | None
    pixels: Pixels

    def fulfil(self, look: Look) -> None:
        """Note what it looks like."""
        if self.region is None:
            self.view.look, self.view.scene_is_fresh = look, True
        else:
            self.region.look = look
            self.region.looks += 1
            self.view.fresh = (*self.view.fresh, self.region)


class CameraScene:
    """Follows what is in the frames of one camera; they come in order, from one thread at a time.

    Args:
        fps: Analysed frames per second.
        detector: What finds things; what differs from the background if None.
        looks_at: What is looked at: `regions`, `scene`.
        detect_every_s: The least time between two frames that the detector sees.
    """

    def __init__(
        self,
        fps: float,
        detector: Detector | None = None,
        *,
        looks_at: Collection[str] = ("regions", "scene"),
        detect_every_s: float = 0.0,
    ) -> None:
        self._foreground = Foreground(fps)
        self._tracker = Tracker(fps)
        self._detector = detector
        self._detect_every_s = detect_every_s
        self._looks_at = frozenset(looks_at)
        self._past: deque[Grey] = deque(maxlen=lag_frames(fps))
        self._detected_s = self._scene_s = float("-inf")
        self._scene: Look | None = None
        self.gated = 0
        self.frames = 0

    def step(self, frame: CameraFrame) -> View:
        """Take the next frame."""
        grey = grey_of(frame.pixels)
        if self._past and self._past[-1].shape != grey.shape:
            self._past.clear()
            self._tracker.reset()
            self._scene = None
        moving = not self._past or moves(grey, self._past[0])
        self._past.append(grey)
        self.frames += 1
        self.gated += not moving
        found = self._found(frame, moving=moving)
        if found is not None:
            self._tracker.step(found, frame.time_s, frame.pixels)
        return View(frame, grey, moving, tuple(self._tracker.regions), look=self._scene)

    def wishes(self, view: View) -> list[Wish]:
        """Return what of a frame should be looked at, the most urgent first."""
        now_s = view.time_s
        due = [
            (region.looks, region.look.time_s if region.look else float("-inf"), region)
            for region in view.regions
            if "regions" in self._looks_at and region.seen_s == now_s and _due(region, now_s)
        ]
        due.sort(key=lambda entry: entry[:2])
        wishes = []
        for _, _, region in due[:_MOST_LOOKS]:
            piece = cut_out(view.frame.pixels, region.box)
            if piece is not None:
                wishes.append(Wish(view, region, piece))
        every_s = _SCENE_EVERY_S if view.moving else _STILL_SCENE_EVERY_S
        if "scene" in self._looks_at and now_s - self._scene_s >= every_s - 1e-6:
            self._scene_s = now_s
            wishes.append(Wish(view, None, view.frame.pixels))
        return wishes

    def remember(self, view: View) -> None:
        """Keep what the whole picture looked like for the frames to come."""
        if view.scene_is_fresh:
            self._scene = view.look

    def _found(self, frame: CameraFrame, *, moving: bool) -> list[Found] | None:
        """Return what is in the frame; None if it was not looked for."""
        if self._detector is None:
            return self._foreground.step(frame.pixels)
        every_s = self._detect_every_s if moving else _STILL_DETECT_S
        since_s = frame.time_s - self._detected_s
        if since_s < every_s - 1e-6 or not (moving or self._tracker.regions):
            return None
        self._detected_s = frame.time_s
        return self._detector.detect(frame.pixels)


def _due(region: Region, now_s: float) -> bool:
    if region.look is None:
        return True
    every_s = _SECOND_LOOK_S if region.looks == 1 else LOOK_EVERY_S
    return now_s - region.look.time_s >= every_s - 1e-6
