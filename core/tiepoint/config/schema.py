"""The JSON Schema of deployment files, from which editors complete and check."""

from __future__ import annotations

from typing import Any

from tiepoint import registry
from tiepoint.config.models import Deployment

_SECTIONS = {
    "EncoderSection": registry.ENCODERS,
    "AlignmentSection": registry.ALIGNERS,
    "SourceSection": registry.SOURCES,
    "SinkSection": registry.SINKS,
    "FusionSection": registry.FUSIONS,
    "AnswerSection": registry.ANSWERERS,
    "ServeSection": registry.SERVERS,
}


def deployment_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of deployment files.

    The names of installed components are given as suggestions, not as an enumeration: a file
    may be written where its plugins are not installed. Any scalar may be a `${NAME}` in the
    file; the schema describes the values after the expansion.
    """
    schema = Deployment.model_json_schema()
    for section, group in _SECTIONS.items():
        kind = schema["$defs"][section]["properties"]["type"]
        kind["examples"] = registry.names(group)
    schema["properties"]["plugins"]["propertyNames"] = {
        "examples": registry.names(registry.PLUGINS)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tiepoint deployment",
        **{key: value for key, value in schema.items() if key != "title"},
    }
