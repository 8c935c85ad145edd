"""Which scopes there are: the core's, and those of the plugins of a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from tiepoint import registry
from tiepoint.config.models import Deployment
from tiepoint_adapters.http.access import CORE_SCOPES


def known_scopes(deployment: Deployment) -> dict[str, str]:
    """Return what each scope allows, wildcards included.

    Raises:
        PluginError: A plugin of the deployment cannot be imported.
    """
    scopes = dict(CORE_SCOPES)
    for name in deployment.plugins:
        brought: Mapping[str, str] = registry.plugin_class(name).scopes
        scopes[f"{name}:read"] = f"Read what {name} has."
        scopes[f"{name}:write"] = f"Change what {name} has."
        scopes |= {f"{name}:{scope}": text for scope, text in brought.items()}
    families = dict.fromkeys(scope.partition(":")[0] for scope in scopes if ":" in scope)
    wildcards = {f"{family}:*": f"All of {family}." for family in families}
    return scopes | wildcards | {"*": "Everything."}


def nearest_scope(scope: str, known: Mapping[str, str]) -> str:
    """Return what to do about a scope that is unknown."""
    near = get_close_matches(scope, known, 1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
