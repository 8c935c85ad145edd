"""Images, text, video and DICOM studies in one space by similarity search.

>>> from tiepoint import Item
>>> Item(id="a", text="a red bicycle").id
'a'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiepoint.errors import TiepointError
    from tiepoint.host import Host
    from tiepoint.plugin import Plugin, PluginConfig
    from tiepoint.types import AddReport, Contribution, Hit, Item

__version__ = "0.1.0"
__all__ = [
    "AddReport",
    "Contribution",
    "Hit",
    "Host",
    "Item",
    "Plugin",
    "PluginConfig",
    "TiepointError",
    "__version__",
]

_HOMES = {
    "AddReport": "tiepoint.types",
    "Contribution": "tiepoint.types",
    "Hit": "tiepoint.types",
    "Host": "tiepoint.host",
    "Item": "tiepoint.types",
    "Plugin": "tiepoint.plugin",
    "PluginConfig": "tiepoint.plugin",
    "TiepointError": "tiepoint.errors",
}


def __getattr__(name: str) -> Any:
    """Import public names at their first use, so that `import tiepoint` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tiepoint' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
