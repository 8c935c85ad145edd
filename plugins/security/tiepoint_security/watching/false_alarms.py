"""What users called a false alarm becomes ordinary: the feedback into the calibration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tiepoint.types import IMAGE
from tiepoint_security.records.archive import Archive
from tiepoint_security.scene.ordinary import usual
from tiepoint_security.scene.vision import Vision
from tiepoint_security.watching.camera import CameraWatch

_EVERY_S = 30.0


class FalseAlarms:
    """Brings the looks of false alarms to the cameras that raised them.

    Args:
        archive: Where they are marked.
        cameras: The cameras, by name.
        vision: What makes vectors; None without, and then nothing is done.
    """

    def __init__(
        self, archive: Archive, cameras: Mapping[str, CameraWatch], vision: Vision | None
    ) -> None:
        self._archive = archive
        self._cameras = cameras
        self._vision = vision
        self._asked_s = float("-inf")

    def take_new(self, now_s: float) -> int:
        """Take those that were marked since; return how many. Asks now and then only.

        Raises:
            StoreError: They cannot be read.
        """
        if self._vision is None or now_s - self._asked_s < _EVERY_S:
            return 0
        self._asked_s = now_s
        taken = 0
        for alert_id, camera, appearance in self._archive.false_looks():
            watched = self._cameras.get(camera)
            if watched is None or watched.regions is None:
                continue
            subject = f"false alarm {alert_id}"
            known = subject in watched.regions.false_alarms
            own = np.frombuffer(appearance, np.float32)
            if known or own.shape != (self._vision.encoder.dim,):
                continue
            aligner = self._vision.aligner
            joint = None if aligner is None else aligner.transform(IMAGE, own[None])[0]
            watched.regions.mark_false(usual(own, joint, subject))
            taken += 1
        return taken
