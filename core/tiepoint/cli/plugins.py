"""`tiepoint plugins`: every component that is installed, where it comes from, and its state."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import click

from tiepoint import registry
from tiepoint.cli.new_plugin import new
from tiepoint.cli.output import print_json, print_table, warn
from tiepoint.errors import TiepointError
from tiepoint.registry import Component


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    name: str
    distribution: str
    version: str
    api_version: int | None
    status: str
    about: str


@click.group(invoke_without_command=True, epilog="Example: tiepoint plugins --check")
@click.option("--check", is_flag=True, help="Import and list every component, the core's own too.")
@click.option("--all", "everything", is_flag=True, help="List all components, not only plugins.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def plugins(context: click.Context, check: bool, everything: bool, as_json: bool) -> None:
    """List the installed plugins and other components, or begin a new one.

    Without --check nothing but the plugins is imported. A broken plugin is listed with its
    reason; with --check, which covers every component, a broken one makes the exit code 2.
    The JSON is `{"components": [{"kind", "name", "distribution", "version", "api_version",
    "status", "about"}]}`, where the status is `ok`, `hidden by ...`, `not imported`, or what is
    broken.
    """
    if context.invoked_subcommand is not None:
        return
    groups = list(registry.NOUNS) if everything or check else [registry.PLUGINS]
    rows = [
        _row(component, imported=check or group == registry.PLUGINS)
        for group in groups
        for component in registry.components(group)
    ]
    broken = [row for row in rows if row.status.startswith("broken")]
    if as_json:
        print_json({"components": [asdict(row) for row in rows]})
    elif rows:
        _print(rows)
        for row in broken:
            warn(row.status)
    else:
        click.echo("No plugin is installed.")
    if check and broken:
        context.exit(2)


plugins.add_command(new)


def _row(component: Component, *, imported: bool) -> _Row:
    api_version, status = None, "not imported"
    if component.shadowed_by:
        status = f"hidden by {component.shadowed_by}"
    elif imported:
        try:
            if component.group == registry.PLUGINS:
                api_version = registry.plugin_class(component.name).api_version
            else:
                component.load()
            status = "ok"
        except TiepointError as error:
            status = f"broken: {error}"
    return _Row(
        registry.NOUNS[component.group],
        component.name,
        component.distribution,
        component.version,
        api_version,
        status,
        component.summary,
    )


def _print(rows: list[_Row]) -> None:
    header = ("KIND", "NAME", "DISTRIBUTION", "API", "STATUS", "ABOUT")
    print_table(
        header,
        [
            (
                row.kind,
                row.name,
                f"{row.distribution} {row.version}",
                "" if row.api_version is None else str(row.api_version),
                row.status.partition(":")[0],
                row.about if row.kind == "plugin" else "",
            )
            for row in rows
        ],
    )
