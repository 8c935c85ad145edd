"""Messages as lines of the process's log."""

from __future__ import annotations

import json
import logging

from tiepoint_adapters.sinks.base import Message, Sink

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


class LogSink(Sink):
    """Writes one line a message, at the level of its severity.

    Args:
        logger: The logger's name.
        as_json: Whether the line is the message's body rather than its subject.
    """

    def __init__(self, logger: str = "tiepoint.alerts", as_json: bool = False) -> None:
        self._logger = logging.getLogger(logger)
        self.as_json = as_json

    def send(self, message: Message, timeout_s: float) -> None:
        text = json.dumps(message.body, ensure_ascii=False) if self.as_json else message.subject
        self._logger.log(_LEVELS[message.severity], "%s [%s]", text, message.key)
