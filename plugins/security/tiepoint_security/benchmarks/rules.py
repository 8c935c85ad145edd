"""The rules that benchmarks watch by: one of each kind of trigger."""

from __future__ import annotations

from typing import Any

RULES: dict[str, Any] = {
    "odd": {"when": {"abnormal": {}}},
    "cyclist": {"when": {"described": {"text": "a man riding a bicycle"}}},
    "stays": {"when": {"loitering": {"seconds": 20}}},
    "enters": {"when": {"intrusion": {"zones": ["middle"]}}},
    "crosses": {"when": {"line_crossing": {"line": "kerb"}}},
}
"""Abnormal motion, a sentence, and three behaviours."""

PLACES: dict[str, Any] = {
    "zones": {"middle": [[0.4, 0.4], [0.6, 0.4], [0.6, 1], [0.4, 1]]},
    "lines": {"kerb": [[0, 0.8], [1, 0.8]]},
}
"""What a camera needs for them."""
