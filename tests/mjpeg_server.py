"""An HTTP camera on loopback: JPEG pictures one after another, as network cameras send them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.footage import Picture, jpeg
from tests.http_server import QuietHandler, served_by


@contextmanager
def mjpeg_camera(picture: Callable[[int], Picture | None], fps: float = 20.0) -> Iterator[str]:
    """Serve `picture(0)`, `picture(1)`, ...; where it gives None, the camera falls silent."""
    ended = threading.Event()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            number = 0
            try:
                while not ended.is_set():
                    shown = picture(number)
                    number += 1
                    if shown is not None:
                        content = jpeg(shown)
                        head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                        self.wfile.write(head % len(content) + content + b"\r\n")
                    time.sleep(1 / fps)
            except OSError:
                pass

    with served_by(Handler) as address:
        try:
            yield f"{address}/video"
        finally:
            ended.set()
