"""`tiepoint traffic`: the commands that this distribution adds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tiepoint_traffic.plugin import TrafficPlugin
    from tiepoint_traffic.sightings import Sighting


@click.group()
def traffic() -> None:
    """Find vehicles in footage by a description."""


@traffic.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("description")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def find(config: Path, description: str, k: int, as_json: bool) -> None:
    """Find what fits DESCRIPTION in the footage of the deployment CONFIG.

    The JSON is `{"sightings": [{"id", "file", "start_s", "end_s", "kind", "similarity"}]}`.
    """
    with _running(config) as plugin:
        _show(plugin.find(description, k), as_json)


@traffic.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--filter", "where", help="Which footage, such as 'start_s < 60'.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def log(config: Path, where: str | None, as_json: bool) -> None:
    """List which kind of vehicle was where and when; the JSON is that of `find`."""
    with _running(config) as plugin:
        _show(plugin.log(where), as_json)


@contextmanager
def _running(config: Path) -> Iterator[TrafficPlugin]:
    from tiepoint import Host
    from tiepoint.errors import PluginError
    from tiepoint_traffic.plugin import TrafficPlugin

    with Host.from_config(config) as host:
        plugin = host.plugin("traffic")
        if not isinstance(plugin, TrafficPlugin):
            raise PluginError("another plugin is called 'traffic'", hint="Uninstall it.")
        plugin.start(host)
        yield plugin


def _show(sightings: list[Sighting], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"sightings": [one.as_dict() for one in sightings]}, indent=2))
        return
    for one in sightings:
        click.echo(f"{one.file}  {one.start_s:8.2f} to {one.end_s:8.2f} s  {one.kind or ''}")
    click.echo(f"{len(sightings)} found.", err=True)
