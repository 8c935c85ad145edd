"""`tiepoint recommend rules`: what the shop wants to be shown, tried, applied, taken back."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiepoint.cli.output import echo, print_json, print_table
from tiepoint.errors import ConfigError
from tiepoint_recommendation.cli.live import Command, opened_service
from tiepoint_recommendation.cli.stores import EXISTING_FILE, config_option, store_options

if TYPE_CHECKING:
    from tiepoint_recommendation.rules.rule import Rule

_DESCRIBING = (
    click.argument("file", type=EXISTING_FILE),
    click.option("--start", metavar="TIME", help="From when on: ISO 8601, or seconds since 1970."),
    click.option("--end", metavar="TIME", help="Until when."),
)

_CHANGING = (
    store_options,
    config_option,
    click.option(
        "--by",
        default=getpass.getuser,
        help="Who does it; the name of the account if not given.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def _describing(command: Command) -> Command:
    for option in reversed(_DESCRIBING):
        command = option(command)
    return command


def _changing(command: Command) -> Command:
    """Add what `apply` and `undo` have in common."""
    for option in reversed(_CHANGING):
        command = option(command)
    return command


@click.group()
def rules() -> None:
    """What the shop wants: pin, boost, bury, exclude or cap products, from one time to another.

    A rule is a YAML file: `name`, `action` (pin, boost, bury, exclude, cap_brand, cap_category),
    `select` (`items`, `brand`, `category`, `tag`), and `place`, `strength` or `most`.
    """


@rules.command("list", epilog="Example: tiepoint recommend rules list --store shop")
@store_options
@config_option
@click.option("--undone", is_flag=True, help="Also those that were taken back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_rules(
    store: Path, database: str | None, config: Path | None, undone: bool, as_json: bool
) -> None:
    """List the rules, with who made them.

    With --json: [{"number", "rule", "made_by", "made_s", "undone_by", "undone_s"}].
    """
    with opened_service(store, database, config) as service:
        entries = service.rules(undone=undone)
    if as_json:
        print_json([one.as_dict() for one in entries])
        return
    rows: list[tuple[str, ...]] = [
        (str(one.number), one.rule.name, one.rule.action, one.made_by, one.undone_by or "")
        for one in entries
    ]
    print_table(("rule", "name", "action", "made by", "undone by"), rows)


@rules.command(epilog="Example: tiepoint recommend rules preview rule.yaml --store shop --user u1")
@_describing
@store_options
@config_option
@click.option("--user", required=True, help="Whose answer it is tried on.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def preview(
    file: Path,
    start: str | None,
    end: str | None,
    store: Path,
    database: str | None,
    config: Path | None,
    user: str,
    k: int,
    as_json: bool,
) -> None:
    """Show what the rule of a FILE would do to an answer; nothing changes.

    With --json: {"before": [IDS], "after": [IDS], "entered", "left", "moved"}.
    """
    from tiepoint_recommendation.live.asks import Ask

    rule = read_rule(file, start, end)
    with opened_service(store, database, config) as service:
        found = service.preview_rule(rule, Ask(user=user, k=k))
    before, after = ([one.id for one in answer.items] for answer in (found.before, found.after))
    if as_json:
        told = {"entered": found.entered, "left": found.left, "moved": found.moved}
        print_json({"before": before, "after": after, **told})
        return
    short = k - len(after), k - len(before)
    places = zip(before + [""] * short[1], after + [""] * short[0], strict=True)
    compared: list[tuple[str, ...]] = [(str(place), *pair) for place, pair in enumerate(places, 1)]
    print_table(("place", "now", "with the rule"), compared)


@rules.command(epilog="Example: tiepoint recommend rules apply rule.yaml --store shop")
@_describing
@_changing
def apply(
    file: Path,
    start: str | None,
    end: str | None,
    store: Path,
    database: str | None,
    config: Path | None,
    by: str,
    as_json: bool,
) -> None:
    """Apply the rule of a FILE; services follow within about a second.

    With --json: {"number"}.
    """
    rule = read_rule(file, start, end)
    with opened_service(store, database, config) as service:
        number = service.apply_rule(rule, by)
    if as_json:
        print_json({"number": number})
    else:
        echo(f"rule {number} holds: {rule.name}")


@rules.command(epilog="Example: tiepoint recommend rules undo --store shop")
@click.argument("number", type=click.IntRange(1), required=False)
@_changing
def undo(
    number: int | None,
    store: Path,
    database: str | None,
    config: Path | None,
    by: str,
    as_json: bool,
) -> None:
    """Take back the rule of a NUMBER, the latest one if none is given.

    With --json: {"number"}.
    """
    with opened_service(store, database, config) as service:
        undone = service.undo_rule(by, number)
    if as_json:
        print_json({"number": undone})
    else:
        echo(f"rule {undone} is taken back")


def read_rule(file: Path, start: str | None = None, end: str | None = None) -> Rule:
    """Read a rule.

    Args:
        file: YAML.
        start: From when on it holds, in place of what the file says.
        end: Until when.

    Raises:
        ConfigError: The file cannot be read, or is no rule.
        UsageError: A time is none.
    """
    import yaml

    from tiepoint.config.document import not_yaml
    from tiepoint.config.problems import validate
    from tiepoint_recommendation.reading.times import seconds
    from tiepoint_recommendation.rules.rule import Rule

    try:
        content: Any = yaml.safe_load(file.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise not_yaml(error, str(file)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the rule cannot be read ({error})", where=str(file), hint="Correct the file."
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            "this is no rule", where=str(file), hint="Write `name: ...` and `action: ...`."
        )
    for name, given in (("start_s", start), ("end_s", end)):
        if given is not None:
            try:
                content[name] = seconds(given)[0]
            except ValueError as error:
                raise click.UsageError(f"--{name[:-2]}: {error}") from error
    return validate(Rule, content, (str(file),))
