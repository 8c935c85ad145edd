"""The embedded default: a deployment without a file, whose weights all come in packages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tiepoint.config.collections import MetadataType
from tiepoint.config.models import Deployment
from tiepoint.errors import ConfigError

WORDS: dict[str, Any] = {
    "type": "concat",
    "encoders": [{"type": "transformers-text"}, {"type": "use"}],
}
"""The text encoder: English by MiniLM, and 16 languages by USE."""


def embedded_deployment(
    path: Path | str, preset: str = "fast", metadata: Mapping[str, MetadataType] | None = None
) -> Deployment:
    """Return the deployment of `Host.embedded`; nothing is built, and no file is read.

    Args:
        path: The store's folder.
        preset: Of the image encoder: `fast` or `accurate`.
        metadata: Types of the items' metadata, by name.

    Raises:
        ConfigError: A metadata field of a type that does not exist.
    """
    photo = {"type": "timm", "preset": preset}
    content = {
        "version": 1,
        "encoders": {
            "photo": photo,
            "words": WORDS,
            "clip": {"type": "video", "frames": photo},
        },
        "alignment": {"type": "default", "encoders": {"image": "photo", "text": "words"}},
        "store": {"uri": os.fspath(path)},
        "collections": {
            "items": {
                "fields": {
                    "image": {"encoder": "photo"},
                    "text": {"encoder": "words", "words": True},
                    "video": {"encoder": "clip"},
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
