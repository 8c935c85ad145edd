"""Fills the reference pages from the code: a hook of mkdocs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DEPLOYMENT_FILE = "<!-- deployment file -->"
HTTP = "<!-- http -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marks of a page by what the code says."""
    if DEPLOYMENT_FILE in markdown:
        markdown = markdown.replace(DEPLOYMENT_FILE, "\n".join(deployment_file()))
    if HTTP in markdown:
        markdown = markdown.replace(HTTP, "\n".join(http()))
    return markdown


def deployment_file() -> Iterator[str]:
    """Yield the sections of a deployment file as tables of their keys."""
    from tiepoint.config.models import Deployment

    schema = Deployment.model_json_schema()
    yield from _table("The whole file", schema)
    for name, section in sorted(schema["$defs"].items()):
        if "properties" in section:
            yield from _table(name.removesuffix("Section"), section)


def _table(title: str, section: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## {title}\n\n{section.get('description', '')}\n"
    yield "| key | type | default | meaning |\n| --- | --- | --- | --- |"
    required = section.get("required", ())
    for key, value in section.get("properties", {}).items():
        default = "required" if key in required else f"`{value.get('default', 'see there')}`"
        cells = (f"`{key}`", _type(value), default, value.get("description", ""))
        yield (
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        )


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name.removesuffix('Section')}](#{name.removesuffix('Section').lower()})"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_type(one) for one in value["anyOf"]))
    if "enum" in value:
        return " or ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    if value.get("type") == "object" and isinstance(value.get("additionalProperties"), Mapping):
        return f"by name, {_type(value['additionalProperties'])}"
    return str(value.get("type", "anything"))


def http() -> Iterator[str]:
    """Yield the routes of the core's HTTP API, from its OpenAPI document."""
    from fastapi import FastAPI

    from tiepoint_adapters.http.app import core_routes

    app = FastAPI()
    for router in core_routes():
        app.include_router(router)
    tags: dict[str, list[str]] = {}
    for path, methods in app.openapi()["paths"].items():
        for method, route in methods.items():
            about = route.get("description") or route.get("summary", "")
            line = f"| `{method.upper()} {path}` | {about.split(chr(10))[0]} |"
            tags.setdefault(route.get("tags", ["other"])[0], []).append(line)
    for tag, lines in tags.items():
        yield f"\n## {tag.capitalize()}\n\n| route | what it does |\n| --- | --- |"
        yield from lines
