"""`tiepoint keys`: make, list and revoke the keys of a deployment."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, print_table, say
from tiepoint.errors import ConfigError, InputError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint_adapters.http.keys import Key, KeyFile


@click.group()
def keys() -> None:
    """Make, list and revoke the keys by which callers of the service are known."""


@keys.command(
    epilog="Example: tiepoint keys create deployment.yaml wall --scope 'security:*' --days 90"
)
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="Repeatable; see below.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Good for so long.")
@click.option("--json", "as_json", is_flag=True, help="Print the key as JSON.")
def create(
    config: Path, name: str, scopes: tuple[str, ...], days: float | None, as_json: bool
) -> None:
    """Make a key and show it, once: only its hash is kept.

    Scopes: search, items:read, items:write, jobs:read, jobs:write, system:read, system:write,
    audit:read; of each plugin PLUGIN:read, PLUGIN:write and those that it brings; `security:*`
    is all of one, `*` is everything.

    With --json: {"id", "name", "key", "scopes", "expires"}.
    """
    deployment = _deployment(config)
    _refuse_unknown(deployment, scopes)
    file = _file(deployment)
    made, text = file.create(name, scopes, days)
    if as_json:
        shown = {"id": made.id, "name": made.name, "key": text}
        print_json(shown | {"scopes": list(made.scopes), "expires": made.expires})
        return
    echo(text)
    say(f"keep it: it is shown this once; its hash is in {file.path}")


@keys.command("list", epilog="Example: tiepoint keys list deployment.yaml")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def list_keys(config: Path, as_json: bool) -> None:
    """List the keys, without what would open anything.

    With --json: {"keys": [{"id", "name", "scopes", "created", "expires", "revoked"}]}, with
    times in seconds since 1970.
    """
    found = _file(_deployment(config)).all()
    if as_json:
        print_json({"keys": [key.model_dump(exclude={"digest"}, mode="json") for key in found]})
        return
    rows: list[tuple[str, ...]] = [
        (key.id, key.name, _state(key), " ".join(key.scopes)) for key in found
    ]
    print_table(("id", "name", "state", "scopes"), rows)


@keys.command(epilog="Example: tiepoint keys revoke deployment.yaml wall")
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("key", metavar="ID|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the revoked keys as JSON.")
def revoke(config: Path, key: str, as_json: bool) -> None:
    """Revoke a key by its id, or all of a name; a running service knows at once.

    With --json: {"revoked": [{"id", "name"}]}.
    """
    revoked = _file(_deployment(config)).revoke(key)
    if as_json:
        print_json({"revoked": [{"id": one.id, "name": one.name} for one in revoked]})
        return
    for one in revoked:
        echo(f"revoked {one.id} ({one.name})")


def _deployment(config: Path) -> Deployment:
    from tiepoint.config.loader import load

    return load(config)


def _file(deployment: Deployment) -> KeyFile:
    from tiepoint_adapters.http.keys import KeyFile

    if deployment.auth is None:
        raise ConfigError(
            "the deployment asks nobody for a key",
            where="auth",
            hint="Add `auth: {keys: ./tiepoint-keys.json}` to the file.",
        )
    return KeyFile(deployment.auth.keys)


def _refuse_unknown(deployment: Deployment, scopes: tuple[str, ...]) -> None:
    from tiepoint_adapters.http.scopes import known_scopes, nearest_scope

    known = known_scopes(deployment)
    for scope in scopes:
        if scope not in known:
            raise InputError(
                f"there is no scope {scope!r:.80}",
                where="--scope",
                hint=nearest_scope(scope, known),
            )


def _state(key: Key) -> str:
    if key.revoked is not None:
        return "revoked"
    if key.expires is None:
        return "good"
    if key.expires <= time.time():
        return "expired"
    return f"good until {time.strftime('%Y-%m-%d', time.localtime(key.expires))}"
