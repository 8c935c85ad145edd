"""`tiepoint medical deid`: objects without what identifies their patients."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, say, write_json
from tiepoint.cli.progress import progress_of
from tiepoint.errors import InputError

if TYPE_CHECKING:
    from tiepoint_medical.deid.folder import DeidReport
    from tiepoint_medical.deid.vault import Vault

PASSPHRASE = "TIEPOINT_VAULT_PASSPHRASE"  # noqa: S105 - the name of a variable


@click.command(epilog="Example: tiepoint medical deid ~/studies clean --clean-descriptors")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--report", type=click.Path(path_type=Path), help="A file that takes the report.")
@click.option(
    "--dates",
    type=click.Choice(("remove", "shift", "keep")),
    default="remove",
    show_default=True,
    help="shift: by the same number of days for all of a patient.",
)
@click.option("--keep-patient-characteristics", "patient", is_flag=True, help="Sex, age, size.")
@click.option("--keep-device", "device", is_flag=True, help="What identifies the device.")
@click.option("--keep-institution", "institution", is_flag=True, help="And the institution.")
@click.option(
    "--clean-descriptors", "descriptors", is_flag=True, help="Keep descriptions, cleaned."
)
@click.option("--clean-reports", "content", is_flag=True, help="Keep texts of reports, cleaned.")
@click.option("--no-pixels", is_flag=True, help="Do not look for text in pictures.")
@click.option(
    "--secret",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that pseudonyms are made with; made if absent.",
)
@click.option(
    "--vault",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"An encrypted file that keeps the way back; its passphrase is in {PASSPHRASE}.",
)
@click.option("--strict", is_flag=True, help="End with code 2 if anything was left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def deid(
    source: Path,
    out: Path,
    report: Path | None,
    dates: str,
    patient: bool,
    device: bool,
    institution: bool,
    descriptors: bool,
    content: bool,
    no_pixels: bool,
    secret: Path | None,
    vault: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """De-identify DICOM by the basic profile of PS3.15, header and pixels.

    What cannot be de-identified wholly is left out. The report names no file of the source,
    as names of files name patients: it has their numbers in the order of their names. A run
    that was cut short goes on when it is run again.

    HL7 messages of a listener's inbox become texts under OUT/reports, cleaned.

    With --json: {"files", "written", "reports", "present", "left_out": [{"number", "reason"}],
    "patients", "studies", "changed": {..}, "pictures", "with_text", "residual": [..],
    "not_looked_at", "risk"}.
    """
    from tiepoint_medical.deid.folder import deidentify_folder
    from tiepoint_medical.deid.identities import Identities
    from tiepoint_medical.deid.options import Dates, DeidOptions
    from tiepoint_medical.deid.secret import read_secret, secret_file

    options = DeidOptions(
        Dates(dates), patient, device, institution, descriptors, content, not no_pixels
    )
    identities = Identities(read_secret(secret or secret_file()))
    with ExitStack() as stack:
        opened = stack.enter_context(_vault(vault)) if vault is not None else None
        progress = stack.enter_context(progress_of("deid"))
        found = deidentify_folder(source, out, identities, options, opened, progress)
    if report is not None:
        write_json(report, found.as_dict())
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)
    if strict and found.left_out:
        raise InputError(f"{len(found.left_out)} files were left out", where=str(source))


def _vault(path: Path) -> Vault:
    from tiepoint_medical.deid.vault import Vault

    passphrase = os.environ.get(PASSPHRASE)
    if not passphrase:
        raise InputError("the vault needs a passphrase", hint=f"Set {PASSPHRASE}.")
    return Vault(path, passphrase)


def _print(found: DeidReport) -> None:
    for left in found.left_out[:20]:
        say(f"left out file {left['number']} of {found.files}: {left['reason']}")
    echo(
        f"{found.written} objects written, {found.present} were there, "
        f"{len(found.left_out)} left out; {found.patients} patients, {found.studies} studies"
    )
    if found.pictures:
        echo(f"text blacked out in {found.with_text} of {found.pictures} objects with pictures")
    if found.residual:
        echo(f"look at these {len(found.residual)}, where something may be left:")
        for name in found.residual[:20]:
            echo(f"  {name}")
    echo(found.risk)
