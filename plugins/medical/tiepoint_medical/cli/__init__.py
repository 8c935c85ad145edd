"""`tiepoint medical`: the commands of this plugin."""

from __future__ import annotations

import click

from tiepoint_medical.cli.deid import deid
from tiepoint_medical.cli.evaluate import evaluate
from tiepoint_medical.cli.findings import findings
from tiepoint_medical.cli.ingest import ingest
from tiepoint_medical.cli.listen import listen
from tiepoint_medical.cli.match import draft, match
from tiepoint_medical.cli.show import show
from tiepoint_medical.cli.worklist import audit, worklist


@click.group()
def medical() -> None:
    """Take DICOM in, de-identify it, and match images with reports."""


medical.add_command(show)
medical.add_command(evaluate)
medical.add_command(deid)
medical.add_command(listen)
for _command in (ingest, match, draft, worklist, audit, findings):
    medical.add_command(_command)
