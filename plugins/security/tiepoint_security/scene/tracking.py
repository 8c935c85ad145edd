"""Following things from frame to frame: which thing of this frame is which of the last one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np

from tiepoint.encoders.images import Pixels
from tiepoint_security.scene.boxes import Found
from tiepoint_security.scene.identity import Identities
from tiepoint_security.scene.view import Region

LOST_S = 2.0
"""How long a thing that is not seen is waited for."""

_FIRST_HITS = 2
_LEAST_OVERLAP = 0.05  # of the boxes, each made larger by the buffer: few frames a second
_BUFFER = 0.5


class Tracker:
    """Follows the things of one camera (C-BIoU: Yang et al., WACV 2023; package `trackers`).

    Boxes are made larger before they are compared, so that at five frames a second what is
    small and fast still overlaps where it is expected; who met is told apart by colours.

    Args:
        fps: Frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        # A number that begins anew with the process must not name another thing in old alerts.
        self._run = secrets.token_hex(3)
        self._count = 0
        self._regions: dict[int, Region] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything that is followed, as where the picture has another size now."""
        from trackers import CBIoUTracker

        self._regions = {}
        self._identities = Identities()
        self._last_s = float("-inf")
        self._tracker = CBIoUTracker(
            frame_rate=self._fps,
            lost_track_buffer=round(LOST_S * 30),  # counted at 30 frames a second
            track_activation_threshold=0.3,
            high_conf_det_threshold=0.3,
            minimum_consecutive_frames=_FIRST_HITS,
            minimum_iou_threshold_first_assoc=_LEAST_OVERLAP,
            minimum_iou_threshold_unconfirmed_assoc=_LEAST_OVERLAP,
            instant_first_frame_activation=False,
            buffer_ratio_first=_BUFFER,
            buffer_ratio_second=_BUFFER,
        )

    @property
    def regions(self) -> list[Region]:
        """All that is followed, also what is not seen just now."""
        return list(self._regions.values())

    def step(self, found: Sequence[Found], time_s: float, pixels: Pixels) -> None:
        """Take what is in the next frame.

        Args:
            found: The things.
            time_s: The stream's time.
            pixels: The frame, (h, w, 3) uint8.
        """
        import supervision

        if time_s <= self._last_s:
            return
        self._last_s = time_s
        height, width = pixels.shape[:2]
        sides = np.array([width, height, width, height], np.float64)
        boxes = np.array([one.box for one in found], np.float64).reshape(-1, 4) * sides
        scores = np.array([one.score for one in found], np.float64)
        places = np.arange(len(found))
        given = supervision.Detections(xyxy=boxes, confidence=scores, data={"place": places})
        followed = self._tracker.update(given, timestamp=time_s)
        ids = [] if followed.tracker_id is None else followed.tracker_id.tolist()
        numbered = zip(ids, np.asarray(followed.data.get("place", ())), strict=True)
        seen = {int(number): found[int(place)] for number, place in numbered if number >= 0}
        boxes_now = {number: thing.box for number, thing in seen.items()}
        for one, other in self._identities.swaps(boxes_now, pixels):
            self._swap(one, other)
        for number, thing in seen.items():
            self._see(number, thing, time_s)
        for number, region in list(self._regions.items()):
            if time_s - region.seen_s > LOST_S:
                del self._regions[number]
                self._identities.forget(number)

    def _swap(self, one: int, other: int) -> None:
        first, second = self._regions.pop(one, None), self._regions.pop(other, None)
        if second is not None:
            self._regions[one] = second
        if first is not None:
            self._regions[other] = first

    def _see(self, number: int, thing: Found, time_s: float) -> None:
        region = self._regions.get(number)
        if region is None:
            self._count += 1
            name = f"{self._run}-{self._count}"
            region = Region(name, thing.box, time_s, time_s, thing.label)
            self._regions[number] = region
        region.label = thing.label or region.label
        region.move(thing.box, time_s)
