"""The deployment that needs no file: packaged encoders, one collection, a local folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from tiepoint.config.models import Deployment, MetadataType
from tiepoint.errors import ConfigError


def embedded_deployment(
    path: Path | str, preset: str, metadata: Mapping[str, MetadataType] | None
) -> Deployment:
    """Return the deployment of `Host.embedded`; see there.

    Raises:
        ConfigError: A metadata field of a type that does not exist.
    """
    content = {
        "version": 1,
        "encoders": {"photo": {"type": "timm", "preset": preset}, "words": {"type": "use"}},
        "alignment": {"type": "conse", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": os.fspath(path)},
        "collections": {
            "items": {
                "fields": {
                    "image": {"encoder": "photo"},
                    "text": {"encoder": "words", "words": True},
                },
                "metadata": dict(metadata or {}),
            }
        },
    }
    try:
        return Deployment.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(key) for key in first["loc"])
        raise ConfigError(first["msg"], where=place, hint="Correct the value.") from error
