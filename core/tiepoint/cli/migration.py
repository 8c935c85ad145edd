"""`tiepoint index --migrate`: bring a store to other encoders or another aligner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from tiepoint.cli.output import echo, print_json, say
from tiepoint.cli.progress import progress_of

if TYPE_CHECKING:
    from tiepoint.migration.migration import MigrationReport
    from tiepoint.types import Skipped

Missing = Literal["refuse", "keep", "drop"]
MISSING: tuple[str, ...] = get_args(Missing)
SHOWN_MISSING = 20


def migrate_store(config: Path, missing: Missing, *, reencode: bool, as_json: bool) -> None:
    """Migrate a deployment's store and print what was done.

    Args:
        config: The deployment file, which names the wanted encoders and aligner.
        missing: What becomes of items that cannot be encoded again.
        reencode: Whether everything is encoded again.
        as_json: Whether the report is printed as JSON, also where items are missing.
    """
    from tiepoint.config.loader import load
    from tiepoint.migration.migration import MigrationReport, MissingItemsError, migrate

    deployment = load(config)
    with progress_of("migration") as progress:
        try:
            report = migrate(deployment, missing=missing, reencode=reencode, progress=progress)
        except MissingItemsError as error:
            if as_json:
                print_json(MigrationReport(missing=error.missing).as_dict())
            elif len(error.missing) > 1:  # the error itself tells of one
                _say_missing(error.missing)
            raise
        except KeyboardInterrupt:
            say("the old data still serve; run the command again to go on where it was")
            raise
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)


def _print(report: MigrationReport) -> None:
    _say_missing(report.missing)
    if not report.switched:
        echo("nothing to migrate: the store is as the deployment names it")
    for done in report.collections:
        odd = {"kept without a vector": done.kept_without, "dropped": done.dropped}
        echo(
            f"{done.collection}: {done.items} items; {done.encoded} parts encoded, "
            f"{done.cached} from the cache, {done.reused} vectors taken over, "
            f"{done.resumed} done before"
            + "".join(f"; {count} {what}" for what, count in odd.items() if count)
        )
    if report.switched:
        echo(f"switched after {report.seconds:.1f} s")


def _say_missing(missing: Sequence[Skipped]) -> None:
    for one in missing[:SHOWN_MISSING]:
        say(f"cannot be encoded again: {one.where}: {one.reason}")
    if len(missing) > SHOWN_MISSING:
        say(f"{len(missing) - SHOWN_MISSING} more cannot be encoded again; --json lists all")
