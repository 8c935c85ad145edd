"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

from typing import ClassVar

from tiepoint.plugin import Plugin


class SecurityPlugin(Plugin):
    """tiepoint for surveillance.

    This release brings no feature yet: the plugin takes no options and does nothing.
    """

    name: ClassVar[str] = "security"
    version: ClassVar[str] = "0.1.0"
    api_version: ClassVar[int] = 1
