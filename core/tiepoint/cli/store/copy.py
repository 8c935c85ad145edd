"""`tiepoint store copy`: the collections of one store into another."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.cli.progress import progress_of
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiepoint.index.base import CollectionSchema
    from tiepoint.index.copying import CopyReport
    from tiepoint.index.milvus import MilvusStore

TOKENS = ("TIEPOINT_FROM_TOKEN", "TIEPOINT_TO_TOKEN")


@click.command(epilog="Example: tiepoint store copy tiepoint-data http://localhost:19530")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--collection", "only", metavar="NAME", multiple=True, help="Copy only this one.")
@click.option("--from-token", envvar=TOKENS[0], metavar="TOKEN", help=f"Or ${TOKENS[0]}.")
@click.option("--to-token", envvar=TOKENS[1], metavar="TOKEN", help=f"Or ${TOKENS[1]}.")
@click.option("--ca-certificate", type=click.Path(path_type=Path), help="Of TLS servers (PEM).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def copy(
    source: str,
    target: str,
    only: tuple[str, ...],
    from_token: str | None,
    to_token: str | None,
    ca_certificate: Path | None,
    as_json: bool,
) -> None:
    """Copy the collections of a store into another one.

    FROM and TO are folders (embedded stores) or the URIs of Milvus servers, such as
    http://host:19530 or https://host:19530/database. A run that was cut short goes on where it
    was when it is run again; run again after further writes, it copies those. In the end both
    stores are read and compared by count and checksum. Nobody may write to FROM meanwhile.

    With --json: {"collections": [{"collection", "items", "checksum", "written", "removed",
    "resumed_after", "seconds"}]}.
    """
    with ExitStack() as opened:
        original = _open(_existing(source), from_token, ca_certificate, opened)
        schemas = _chosen(original.collections(), only, source)
        copied = _open(_other(target, source), to_token, ca_certificate, opened)
        reports = [_copy_one(original, copied, schema, as_json) for schema in schemas]
    if as_json:
        print_json({"collections": [report.as_dict() for report in reports]})


def _existing(uri: str) -> str:
    from tiepoint.index.embedded import is_store

    if "://" not in uri and not is_store(Path(uri).expanduser()):
        raise InputError("there is no store", where=uri, hint="Name the folder of a store.")
    return uri


def _other(uri: str, source: str) -> str:
    same = uri == source
    if "://" not in uri and "://" not in source:
        same = Path(uri).expanduser().resolve() == Path(source).expanduser().resolve()
    if same:
        raise InputError("FROM and TO are the same store", where=uri, hint="Name another one.")
    return uri


def _open(uri: str, token: str | None, certificate: Path | None, opened: ExitStack) -> MilvusStore:
    from pydantic import SecretStr

    from tiepoint.config.store import ServerSection
    from tiepoint.index.milvus import MilvusStore

    server = ServerSection(
        token=None if token is None else SecretStr(token), ca_certificate=certificate
    )
    store = MilvusStore(uri, server)
    store.open()
    opened.callback(store.close)
    return store


def _chosen(
    found: dict[str, CollectionSchema], only: Sequence[str], where: str
) -> list[CollectionSchema]:
    missing = [name for name in only if name not in found]
    if missing or not found:
        raise InputError(
            f"there is no collection {missing[0]!r}" if missing else "there is no collection",
            where=where,
            hint=f"It has: {', '.join(found) or 'none that tiepoint made'}.",
        )
    return [schema for name, schema in found.items() if not only or name in only]


def _copy_one(
    source: MilvusStore, target: MilvusStore, schema: CollectionSchema, as_json: bool
) -> CopyReport:
    from tiepoint.index.copying import copy_collection

    with progress_of(schema.name) as progress:
        try:
            report = copy_collection(source, target, schema, progress)
        except KeyboardInterrupt:
            say("what was copied is kept; run the command again to go on")
            raise
    if not as_json:
        resumed = f", resumed after {report.resumed_after}" if report.resumed_after else ""
        echo(
            f"{report.collection}: {report.items} items, checksum {report.checksum},"
            f" {report.written} written in {report.seconds:.1f} s{resumed}"
        )
    return report
