"""A real RTSP server on loopback (GStreamer's, run by the system's Python)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.ports import await_listening, free_port

_PYTHON = "/usr/bin/python3"
_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(sys.argv[2])
factory.set_shared(True)
server.get_mount_points().add_factory("/camera", factory)
server.attach(None)
GLib.MainLoop().run()
"""
BALL = (
    "( videotestsrc is-live=true pattern=ball"
    " ! video/x-raw,format=I420,width=320,height=240,framerate=20/1"
    " ! jpegenc ! rtpjpegpay name=pay0 pt=26 )"
)
H264 = (
    "( videotestsrc is-live=true pattern=ball"
    " ! video/x-raw,format=I420,width=320,height=240,framerate=20/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10"
    " ! rtph264pay name=pay0 config-interval=1 )"
)
UNKNOWN = (
    "( videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=5/1"
    " ! rtpgstpay name=pay0 )"
)
SOUND = "( audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 )"


@cache
def _missing() -> bool:
    if not Path(_PYTHON).exists():
        return True
    check = "import gi; gi.require_version('GstRtspServer', '1.0')"
    return subprocess.run([_PYTHON, "-c", check], capture_output=True, check=False).returncode != 0


needs_rtsp_server = pytest.mark.skipif(
    _missing(),
    reason="GStreamer's RTSP server is not installed"
    " (apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good)",
)


@contextmanager
def rtsp_server(launch: str = BALL, port: int | None = None) -> Iterator[str]:
    """Serve a pipeline; yields its address. The server is killed at the end."""
    port = port or free_port()
    process = subprocess.Popen([_PYTHON, "-c", _SERVER, str(port), launch])
    try:
        await_listening(port, process)
        yield f"rtsp://127.0.0.1:{port}/camera"
    finally:
        process.kill()
        process.wait()
