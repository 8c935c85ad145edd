"""`tiepoint index`: fill the collections of a deployment from its sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.migration import MISSING, Missing, migrate_store
from tiepoint.cli.output import print_json, say
from tiepoint.cli.progress import progress_of
from tiepoint.cli.targets import indexing_target
from tiepoint.errors import ConfigError, InputError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint.ingest import IngestReport, Target

SHOWN_SKIPS = 20


@click.command(epilog="Example: tiepoint index deployment.yaml --source photographs --prune")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--source", "only", metavar="NAME", help="Read this source only.")
@click.option("--strict", is_flag=True, help="End with code 2 at the first input that is broken.")
@click.option(
    "--prune", is_flag=True, help="Remove items that a folder or a catalogue no longer has."
)
@click.option(
    "--migrate", is_flag=True, help="Bring what is stored to this file's encoders and aligner."
)
@click.option(
    "--missing",
    type=click.Choice(MISSING),
    help="With --migrate: what becomes of items whose file is gone.  [default: refuse]",
)
@click.option(
    "--reencode", is_flag=True, help="With --migrate: encode everything, though nothing changed."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def index(
    config: Path,
    only: str | None,
    strict: bool,
    prune: bool,
    migrate: bool,
    missing: Missing | None,
    reencode: bool,
    as_json: bool,
) -> None:
    """Index the sources of a deployment file.

    Items that are there already and unchanged are left as they are, so a run that was cut
    short is continued by running it again. Broken inputs are skipped and listed; a source of
    which no item could be read makes the exit code 2. Where a running process holds the store,
    items are encoded here and written by that process.

    With --json: {"sources": [{"source", "collection", "added", "removed", "unchanged",
    "encoded", "cached", "skipped": [{"where", "reason"}], "seconds"}]}.

    With --migrate, no source is read: the stored items are brought to the encoders and the
    aligner that the file names now, while the old ones serve until all is done. With --json:
    {"switched", "missing": [{"where", "reason"}], "collections": [{"collection", "items",
    "encoded", "cached", "reused", "kept_without", "dropped", "seconds"}]}.
    """
    if migrate:
        _refuse_with_migrate(only, strict, prune)
        migrate_store(config, missing or "refuse", reencode=reencode, as_json=as_json)
        return
    if missing or reencode:
        raise ConfigError("--missing and --reencode need --migrate", hint="Give --migrate, too.")
    from tiepoint.config.loader import load
    from tiepoint.host import Host

    deployment = load(config)
    names = _chosen(deployment, only)
    with indexing_target(deployment) as target:
        reports = [_index_one(target, name, strict, prune, as_json) for name in names]
        if isinstance(target, Host) and any(report.encoded for report in reports):
            target.drift()  # logged as a warning where new vectors and old ones do not compare
    if as_json:
        print_json({"sources": [report.as_dict() for report in reports]})
    _refuse_nothing(reports)


def _refuse_with_migrate(only: str | None, strict: bool, prune: bool) -> None:
    for option, given in (("--source", only), ("--strict", strict), ("--prune", prune)):
        if given:
            raise ConfigError(
                "a migration reads no source", where=option, hint="Run the two one after the other."
            )


def _chosen(deployment: Deployment, only: str | None) -> list[str]:
    names = list(deployment.sources)
    if not names:
        raise ConfigError(
            "the deployment names no sources", where="sources", hint="Add a folder or a table."
        )
    if only is not None and only not in names:
        raise ConfigError(
            f"there is no source {only!r}",
            where="--source",
            hint=f"Name one of {', '.join(names)}.",
        )
    return names if only is None else [only]


def _index_one(target: Target, name: str, strict: bool, prune: bool, as_json: bool) -> IngestReport:
    from tiepoint.ingest import build_source, ingest

    section = target.deployment.sources[name]
    source = build_source(name, section, target.deployment.collections[section.collection].fields)
    with progress_of(name) as progress:
        try:
            report = ingest(
                target,
                name,
                source,
                section.collection,
                strict=strict,
                prune=prune,
                progress=progress,
            )
        except KeyboardInterrupt:
            say("what was written is kept; run the command again to go on")
            raise
    if not as_json:
        _print(report)
    return report


def _refuse_nothing(reports: Sequence[IngestReport]) -> None:
    unread = [report for report in reports if not report.read]
    if unread:
        count = sum(len(report.skipped) for report in unread)
        raise InputError(
            f"no item could be read, {count} were skipped",
            where=f"source {', '.join(report.source for report in unread)}",
            hint="Mend what is listed as skipped.",
        )


def _print(report: IngestReport) -> None:
    for skipped in report.skipped[:SHOWN_SKIPS]:
        say(f"skipped {skipped.where}: {skipped.reason}")
    if len(report.skipped) > SHOWN_SKIPS:
        say(f"skipped {len(report.skipped) - SHOWN_SKIPS} more; --json lists all")
    click.echo(
        f"{report.source}: {report.added} added, {report.unchanged} unchanged, "
        f"{f'{report.removed} removed, ' if report.removed else ''}"
        f"{len(report.skipped)} skipped in {report.seconds:.1f} s; "
        f"{report.encoded} parts encoded, {report.cached} from the cache"
    )
