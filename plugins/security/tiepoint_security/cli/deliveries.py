"""`tiepoint security deliveries`: what waits, what was given up, and to send that again."""

from __future__ import annotations

from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, print_table
from tiepoint_security.cli.records import opened_records, user_option


@click.command(epilog="Example: tiepoint security deliveries deployment.yaml --resend")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--resend", is_flag=True, help="Send the dead letters again.")
@click.option("-n", "most", default=50, type=click.IntRange(1, 10_000), help="How many at most.")
@user_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def deliveries(config: Path, resend: bool, most: int, user: str, as_json: bool) -> None:
    """Show what waits for each sink, and the messages that were given up.

    With --json: {"sinks": {NAME: {"waiting", "delivered", "dead"}}, "dead": [{"number", "key",
    "sink", "alert", "subject", "created_at", "attempts", "reason"}], "resent": n}.
    """
    from tiepoint_security.delivery.outbox import Outbox

    resent = 0
    with opened_records(config) as records:
        outbox = Outbox(records.database, "command line", records.clock)
        if resend:
            resent = outbox.revive()
            with records.database.writing() as session:
                records.audit.note(session, user, "resent", "dead letters", {"count": resent})
        states = ("waiting", "delivered", "dead")
        sinks = {
            name: {state: counts.get(state, 0) for state in states}
            for name, counts in sorted(outbox.counts().items())
        }
        dead = outbox.dead(most)
    if as_json:
        print_json({"sinks": sinks, "dead": dead, "resent": resent})
        return
    rows = [(name, *(str(counts[state]) for state in states)) for name, counts in sinks.items()]
    print_table(("sink", *states), rows)
    for letter in dead:
        echo(f"given up: {letter['key']} to {letter['sink']}: {letter['reason']}")
    if resend:
        echo(f"{resent} messages wait again")
