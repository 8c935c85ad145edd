"""`tiepoint backup` and `tiepoint restore`."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json


@click.command(epilog="Example: tiepoint backup deployment.yaml /backups/2026-01-31")
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backup(config: Path, target: Path, as_json: bool) -> None:
    """Write a verified copy of what a deployment keeps into a new folder.

    It holds the store, the service's state and keys, and the files and databases of the plugins
    (those in PostgreSQL by its own `pg_dump`); not the pictures that items name. A process that
    serves the deployment goes on meanwhile: searches are answered, and writes wait. Keep the
    folder as safe as the deployment itself.

    With --json: {"folder", "files", "collections": {name: items}}.
    """
    from tiepoint_adapters.backup.archive import described
    from tiepoint_adapters.backup.saving import save

    manifest = save(config, target)
    if as_json:
        items = {name: count for name, (count, _) in manifest.collections.items()}
        print_json({"folder": str(target), "files": len(manifest.files), "collections": items})
        return
    echo(f"{target}: {described(manifest)}")


@click.command(epilog="Example: tiepoint restore deployment.yaml /backups/2026-01-31")
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Only verify the backup.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restore(config: Path, source: Path, only_check: bool, as_json: bool) -> None:
    """Put back what a backup holds, where nothing is yet.

    Every file of the backup is verified first, and what was restored is compared with it in the
    end. A store that has items, a database that has tables, and a file that exists, are never
    overwritten.

    With --json: {"folder", "files", "collections": {name: items}}.
    """
    from tiepoint_adapters.backup.archive import described, verified
    from tiepoint_adapters.backup.restoring import put_back

    manifest = verified(source) if only_check else put_back(config, source)
    if as_json:
        items = {name: count for name, (count, _) in manifest.collections.items()}
        print_json({"folder": str(source), "files": len(manifest.files), "collections": items})
        return
    echo(f"{'sound' if only_check else 'restored'}: {described(manifest)}")
