"""A checked deployment as text, for another process that holds the store."""

from __future__ import annotations

import json
from pathlib import Path

from tiepoint.config.loader import loads
from tiepoint.config.models import Deployment


def deployment_text(deployment: Deployment) -> str:
    """Return a deployment as a YAML text without variables and with absolute paths."""
    content = deployment.model_dump(mode="json", exclude_none=True, serialize_as_any=True)
    return json.dumps(content, ensure_ascii=False).replace("${", "$${")


def deployment_from(text: str) -> Deployment:
    """Return the deployment of such a text.

    Raises:
        ConfigError: It cannot be used in this process, where a component is not installed, say.
    """
    return loads(text, "the carried deployment", Path("/"), {})
