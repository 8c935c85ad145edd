"""How images and reports are encoded where a deployment does not say otherwise."""

from __future__ import annotations

from typing import Any

from tiepoint.embedded import WORDS

IMAGES: dict[str, Any] = {
    "type": "concat",
    "encoders": [{"type": "timm", "preset": "accurate"}, {"type": "edges"}],
}
"""Pictures: general-purpose networks, and where edges run."""

REPORTS: dict[str, Any] = {"type": "long-text", "encoder": WORDS, "words": 120}
"""Reports: the core's text encoders, in pieces that they read whole."""
