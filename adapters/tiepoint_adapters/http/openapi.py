"""The OpenAPI document: how callers are known, and how every refusal looks."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tiepoint_adapters.http.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "What is wrong, where, and what to do about it (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "where": {"type": "string"},
        "hint": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
    "example": {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "there is no field prize",
        "where": "filter, character 1",
        "hint": "Did you mean price?",
    },
}
_REFUSALS = {
    "4XX": "The request is refused: not known (401), not allowed (403), absent (404), in conflict"
    " (409), too large (413), not usable (422), or too many (429, with Retry-After).",
    "5XX": "The work failed: the store cannot be used (503), or it took too long (504).",
}


def describe(app: FastAPI, root_path: str) -> None:
    """Have an application describe itself, with refusals and keys.

    Args:
        app: The application.
        root_path: Where a proxy shows it.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, root_path)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI documents it


def _document(app: FastAPI, root_path: str) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
        servers=[{"url": root_path}] if root_path else None,
    )
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    parts["responses"] = {
        f"Problem{family}": {
            "description": text,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for family, text in _REFUSALS.items()
    }
    parts["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key of `tiepoint keys create`, or a token of the identity provider.",
        }
    }
    made["security"] = [{"key": []}, {}]
    for operations in made["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            answers.pop("422", None)
            for family in _REFUSALS:
                answers[family] = {"$ref": f"#/components/responses/Problem{family}"}
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    return made
