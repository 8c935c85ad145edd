"""`tiepoint index`: fill the collections of a deployment from its sources."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import print_json, say
from tiepoint.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiepoint.host import Host
    from tiepoint.ingest import IngestReport

SHOWN_SKIPS = 20
LINE_EVERY_S = 5.0


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--source", "only", metavar="NAME", help="Read this source only.")
@click.option("--strict", is_flag=True, help="End with code 2 at the first input that is broken.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def index(config: Path, only: str | None, strict: bool, as_json: bool) -> None:
    """Index the sources of a deployment file.

    Items that are there already and unchanged are left as they are, so a run that was cut
    short is continued by running it again. Broken inputs are skipped and listed; a source of
    which no item could be read makes the exit code 2.

    With --json: {"sources": [{"source", "collection", "added", "unchanged", "encoded",
    "cached", "skipped": [{"where", "reason"}], "seconds"}]}.
    """
    from tiepoint.host import Host

    host = Host.from_config(config)
    names = _chosen(host, only)
    with host:
        reports = [_index_one(host, name, strict, as_json) for name in names]
    if as_json:
        print_json({"sources": [report.as_dict() for report in reports]})
    _refuse_nothing(reports)


def _chosen(host: Host, only: str | None) -> list[str]:
    names = list(host.deployment.sources)
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


def _index_one(host: Host, name: str, strict: bool, as_json: bool) -> IngestReport:
    from tiepoint.ingest import build_source, ingest

    section = host.deployment.sources[name]
    source = build_source(name, section)
    with progress_of(name) as progress:
        try:
            report = ingest(
                host, name, source, section.collection, strict=strict, progress=progress
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
        f"{len(report.skipped)} skipped in {report.seconds:.1f} s; "
        f"{report.encoded} parts encoded, {report.cached} from the cache"
    )


@contextmanager
def progress_of(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Give a function that shows progress: a bar on a terminal, else a line now and then.

    Args:
        name: What is in progress.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    last = float("-inf")

    def line(done: int, total: int | None) -> None:
        nonlocal last
        if monotonic() - last >= LINE_EVERY_S and done != total:
            last = monotonic()
            say(f"{name}: {done} of {total or 'unknown'}")

    yield line
