"""The plugins of this repository keep to the contract of plugins."""

from __future__ import annotations

from tiepoint.testing.plugin import PluginConformance


class TestSecurity(PluginConformance):
    name = "security"


class TestMedical(PluginConformance):
    name = "medical"


class TestRecommendation(PluginConformance):
    name = "recommendation"
