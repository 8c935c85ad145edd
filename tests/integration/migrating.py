"""What `test_migration_kill.py` runs in processes that it kills."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from tests.small_encoders import COLOUR_COMPONENTS, ColourEncoder, registered
from tiepoint import Host, registry
from tiepoint.config.models import Deployment
from tiepoint.migration.migration import migrate


class TurnedEncoder(ColourEncoder):
    """Another encoder of colours, as slow as a real one; its axes are in another order."""

    def infer(self, prepared: Any, modality: str | None = None) -> Any:
        time.sleep(0.001 * len(prepared))
        return np.ascontiguousarray(super().infer(prepared)[:, [1, 2, 0, 3]])


def known() -> AbstractContextManager[None]:
    """Make the components of these tests known in this process, until the block is left."""
    return registered(*COLOUR_COMPONENTS, (registry.ENCODERS, "turned", TurnedEncoder))


def deployment(folder: Path, encoder: str) -> Deployment:
    """Return a deployment on the store of a folder, with one of the two encoders."""
    version = {"colour": 1, "turned": 2}[encoder]
    fields = {"image": {"encoder": "photo"}, "text": {"encoder": "words", "words": True}}
    return Deployment.model_validate(
        {
            "version": 1,
            "encoders": {
                "photo": {"type": encoder, "version": version},
                "words": {"type": "colour-words"},
            },
            "alignment": {"type": "colour", "encoders": {"image": "photo", "text": "words"}},
            "store": {"uri": str(folder / "store")},
            "collections": {"items": {"fields": fields, "metadata": {"number": "int"}}},
        }
    )


def run(folder: Path, present: str, wanted: str, serving: bool, begun: Any) -> None:
    """Migrate from one encoder to the other.

    Args:
        folder: Where the store lies.
        present: The encoder that it has.
        wanted: The encoder that it shall have.
        serving: Whether a host serves the store meanwhile, in this process.
        begun: An event that is set when the work begins.
    """
    os.environ["TIEPOINT_CACHE"] = str(folder / "cache")
    with known():
        if serving:
            with Host(deployment(folder, present)):
                begun.set()
                migrate(deployment(folder, wanted))
        else:
            begun.set()
            migrate(deployment(folder, wanted))
