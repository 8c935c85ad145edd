"""The page of `eval` and `compare`: one HTML file without scripts and remote parts."""

from __future__ import annotations

from typing import Any

_PLOTTED = ("Recall@20", "NDCG@10", "MRR", "MAP@20")
_BAR_PX = 420


def page(figures: dict[str, Any]) -> str:
    """Return the page.

    Args:
        figures: What `protocol.report` has returned.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tiepoint_recommendation.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        figures=figures,
        plots=[(name, _bars(figures, name)) for name in _PLOTTED],
        lists=[(name, one["lists"]) for name, one in figures["systems"].items()],
        segments=_segments(figures),
        width=_BAR_PX,
    )


def _bars(figures: dict[str, Any], figure: str) -> list[dict[str, Any]]:
    """Return a bar with its interval for each system, in pixels, the best first."""
    found = {name: one["figures"][figure] for name, one in figures["systems"].items()}
    scale = _BAR_PX / max([one["high"] for one in found.values()] + [1e-9])
    ordered = sorted(found.items(), key=lambda pair: -pair[1]["value"])
    return [
        {
            "name": name,
            "value": one["value"],
            "bar": round(one["value"] * scale, 1),
            "low": round(one["low"] * scale, 1),
            "high": round(one["high"] * scale, 1),
        }
        for name, one in ordered
    ]


def _segments(figures: dict[str, Any]) -> list[tuple[str, int, list[tuple[str, float]]]]:
    """Return each segment's users, and every system's Recall@20 there."""
    systems = figures["systems"]
    blend = next(iter(systems.values()))
    return [
        (
            segment,
            one["users"],
            [(name, other["segments"][segment]["Recall@20"]) for name, other in systems.items()],
        )
        for segment, one in blend["segments"].items()
    ]
