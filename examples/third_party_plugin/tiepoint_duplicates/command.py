"""`tiepoint duplicates`: the command that this distribution adds."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("pictures", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def duplicates(config: Path, pictures: tuple[Path, ...], as_json: bool) -> None:
    """Say which PICTURES (files, or folders of them) a collection already has.

    CONFIG is a deployment file that names the plugin `duplicates`. The JSON is
    `{"duplicates": [{"path", "id", "similarity"}], "skipped": [{"path", "reason"}]}`.
    """
    from tiepoint import Host
    from tiepoint.errors import PluginError
    from tiepoint.types import Skipped
    from tiepoint_duplicates.plugin import DuplicatesPlugin

    with Host.from_config(config) as host:
        plugin = host.plugin("duplicates")
        if not isinstance(plugin, DuplicatesPlugin):
            raise PluginError("another plugin is called 'duplicates'", hint="Uninstall it.")
        found = list(plugin.find(host, _files(pictures)))
    same = [one for one in found if not isinstance(one, Skipped)]
    skipped = [one for one in found if isinstance(one, Skipped)]
    if as_json:
        listed = [
            {"path": str(one.path), "id": one.item_id, "similarity": one.similarity} for one in same
        ]
        unread = [{"path": one.where, "reason": one.reason} for one in skipped]
        click.echo(json.dumps({"duplicates": listed, "skipped": unread}, indent=2))
        return
    for one in same:
        click.echo(f"{one.path}  is  {one.item_id}  ({one.similarity:.3f})")
    for unreadable in skipped:
        click.echo(f"{unreadable.where}: skipped, {unreadable.reason}", err=True)
    click.echo(f"{len(same)} found.", err=True)


def _files(pictures: tuple[Path, ...]) -> list[Path]:
    return [
        file
        for path in pictures
        for file in ([path] if path.is_file() else sorted(path.rglob("*")))
        if file.is_file()
    ]
