"""The plugin class by which a host finds this distribution."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tiepoint.plugin import Plugin, PluginConfig
from tiepoint_recommendation.settings import FitSettings


class RecommendationConfig(PluginConfig):
    """The options of this plugin."""

    fit: FitSettings = Field(
        default_factory=FitSettings, title="Fit", description="How models are made."
    )


class RecommendationPlugin(Plugin):
    """tiepoint for recommendation."""

    name: ClassVar[str] = "recommendation"
    version: ClassVar[str] = "0.1.0"
    api_version: ClassVar[int] = 1
    Config: ClassVar[type[PluginConfig]] = RecommendationConfig
