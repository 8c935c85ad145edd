"""Messages as e-mail, and to the hundred other services that Apprise knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tiepoint.errors import ConfigError, MissingDependencyError
from tiepoint_adapters.sinks.base import Message, Sink, SinkError

if TYPE_CHECKING:
    from apprise import Apprise

_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}
KEY_HEADER = "X-Tiepoint-Key"
"""The header of e-mails that carries the message's key."""


class AppriseSink(Sink):
    """Sends the message's subject and text to one service.

    The text ends with the message's key, and an e-mail has it in the header `X-Tiepoint-Key`,
    by which a second copy can be told. One sink is one service, so that a service that fails
    does not make another one get the message twice.

    Args:
        url: The service as Apprise writes it, such as
            `mailtos://user:password@mail.host?to=guard@host&from=cameras@host`.

    Raises:
        ConfigError: The URL has no scheme.
    """

    def __init__(self, url: str) -> None:
        scheme = urlsplit(url).scheme
        if not scheme:
            raise ConfigError(
                "the url of the service has no scheme",
                where="url",
                hint="Write it like mailtos://user:password@host?to=name@host.",
            )
        self.url = url
        self.where = f"{scheme}://"  # the rest may be a password
        self._service: Apprise | None = None

    def send(self, message: Message, timeout_s: float) -> None:
        service = self._loaded()
        self._add_key(service, message.key)
        result = service.notify(
            body=message.text,
            title=message.subject,
            notify_type=_TYPES[message.severity],
            body_format="text",
            timeout=timeout_s,
        )
        if not result:
            reasons = [" ".join(str(entry.message).split()) for entry in result.logs()]
            what = reasons[0] if reasons else "the service did not take the message"
            raise SinkError(f"{what}"[:500], where=self.where)

    def _loaded(self) -> Apprise:
        if self._service is None:
            try:
                from apprise import Apprise, AppriseAsset
            except ImportError as error:
                raise MissingDependencyError(
                    "Apprise is not installed",
                    where=self.where,
                    hint="pip install 'tiepoint[notify]'",
                ) from error
            service = Apprise(asset=AppriseAsset(app_id="tiepoint", app_desc="tiepoint"))
            if not service.add(self.url):
                raise SinkError("Apprise cannot read the url of the service", where=self.where)
            self._service = service
        return self._service

    @staticmethod
    def _add_key(service: Any, key: str) -> None:
        from apprise.plugins.email import NotifyEmail

        for plugin in service:
            if isinstance(plugin, NotifyEmail):
                plugin.headers[KEY_HEADER] = key
