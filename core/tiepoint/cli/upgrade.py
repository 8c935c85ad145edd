"""`tiepoint upgrade`: what a deployment keeps, brought up to this release."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import print_json


@click.command(epilog="Example: tiepoint upgrade deployment.yaml")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def upgrade(config: Path, as_json: bool) -> None:
    """Bring a deployment's store and its plugins' databases up to this release.

    Run it after installing a release and before serving with it; make a backup first. The store
    is opened and its collections are checked against the file; each plugin brings its own
    databases up. What is up to date already is left as it is. The JSON is `{"collections":
    {name: items}, "plugins": {name: [what was done]}}`.
    """
    from tiepoint.host import Host

    with Host.from_config(config) as host:
        collections = {name: len(host.collection(name)) for name in host.deployment.collections}
        plugins = {name: list(plugin.upgrade(host)) for name, plugin in host.plugins.items()}
    if as_json:
        print_json({"collections": collections, "plugins": plugins})
        return
    for name, items in collections.items():
        click.echo(f"collection {name}: can be served, {items} items")
    for name, done in plugins.items():
        click.echo(f"plugin {name}: {'; '.join(done) or 'up to date'}")
