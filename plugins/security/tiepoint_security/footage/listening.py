"""From what the cameras are seen to do to footage: the recorder listens to the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tiepoint_security.alerts.severity import worst
from tiepoint_security.footage.recorder import Recorder
from tiepoint_security.rules.places import Zone, in_zone

if TYPE_CHECKING:
    from tiepoint_security.watching.watching import Judged, Listener


def recording(recorder: Recorder, zones: Mapping[str, Mapping[str, Zone]]) -> Listener:
    """Return what gives every analysed frame to a recorder, with what is known of it.

    Args:
        recorder: Takes the frames.
        zones: The zones of each camera.
    """

    def listen(judged: Judged) -> None:
        frame = judged.view.frame
        seen = [r.foot for r in judged.view.regions if r.seen_s == judged.view.time_s]
        here = zones.get(frame.camera, {})
        inside = [name for name, zone in here.items() if any(in_zone(foot, zone) for foot in seen)]
        recorder.add(frame, inside, worst(*(alert.severity for alert in judged.alerts)))

    return listen
