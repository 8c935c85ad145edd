"""`tiepoint security`: the commands of this plugin."""

from __future__ import annotations

import click

from tiepoint_security.cli.ack import ack
from tiepoint_security.cli.alerts import alerts
from tiepoint_security.cli.audit import audit
from tiepoint_security.cli.bench import bench
from tiepoint_security.cli.deliveries import deliveries
from tiepoint_security.cli.evaluate import evaluate
from tiepoint_security.cli.export import export_command
from tiepoint_security.cli.fit import fit
from tiepoint_security.cli.index import index
from tiepoint_security.cli.search import search
from tiepoint_security.cli.summarize import summarize
from tiepoint_security.cli.watch import watch


@click.group()
def security() -> None:
    """Watch cameras and footage, handle alerts, and search by words or pictures."""


security.add_command(watch)
security.add_command(bench)
security.add_command(index)
security.add_command(search)
security.add_command(summarize)
security.add_command(alerts)
security.add_command(ack)
security.add_command(export_command)
security.add_command(audit)
security.add_command(deliveries)
security.add_command(fit)
security.add_command(evaluate)
