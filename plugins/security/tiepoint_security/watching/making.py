"""From settings to what watches: cameras, eyes and the detector."""

from __future__ import annotations

from pathlib import Path

from tiepoint_security.scene.detectors import make_detector
from tiepoint_security.scene.vision import Vision
from tiepoint_security.watching.camera import CameraWatch
from tiepoint_security.watching.settings import WatchSettings


def make_cameras(
    settings: WatchSettings, vision: Vision | None, folder: Path | None
) -> dict[str, CameraWatch]:
    """Return what watches each camera of the settings.

    Args:
        settings: The settings.
        vision: What makes vectors; None without an encoder of pictures.
        folder: Where what is learned of cameras is kept, a folder each; in memory if None.

    Raises:
        ConfigError: A rule needs what the deployment does not have.
        InputError: What was learned or fitted, or an example picture, cannot be read.
    """
    detector = None if settings.detector is None else make_detector(settings.detector)
    return {
        name: CameraWatch(
            name, settings, vision, detector, None if folder is None else folder / name
        )
        for name in settings.cameras
    }
