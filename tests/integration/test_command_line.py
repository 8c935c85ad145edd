"""What all commands have in common, the plugins' too: `tiepoint --help`, walked to its leaves."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import click
import pytest

from tests.command_line import tiepoint
from tiepoint.cli.json_file import STDOUT
from tiepoint.cli.main import tiepoint as frame

PRINTS_NO_RESULT = {"completion", "config schema", "run", "serve"}
"""A script, a schema that is JSON anyway, and what stays until it is stopped."""


def leaves(
    command: click.Command, words: tuple[str, ...], parent: click.Context | None
) -> Iterator[tuple[str, click.Context]]:
    context = click.Context(command, parent, info_name=words[-1] if words else "tiepoint")
    if not isinstance(command, click.Group):
        yield " ".join(words), context
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from leaves(child, (*words, name), context)


COMMANDS = dict(leaves(frame, (), None))


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_shows_an_example_that_it_would_take(words):
    command, context = COMMANDS[words].command, COMMANDS[words]
    if words == "completion":  # shows where the line of each shell belongs
        return

    assert command.help
    assert command.epilog is not None, "it has no example"
    start, _, example = command.epilog.partition("Example: tiepoint ")
    assert start == ""
    given = shlex.split(example.partition(" > ")[0])
    assert " ".join(given[: len(words.split())]) == words
    parsed, rest, _ = command.make_parser(context).parse_args(given[len(words.split()) :])
    assert not rest
    for parameter in command.get_params(context):
        if parameter.required:
            assert parsed.get(parameter.name), f"{parameter.name} is missing in the example"


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() - PRINTS_NO_RESULT))
def test_json_can_be_given_alone_to_every_command_with_a_result(words):
    [option] = [one for one in COMMANDS[words].command.params if "--json" in one.opts]

    assert option.is_flag or option.flag_value == str(STDOUT)


@pytest.fixture
def measured() -> tuple[str, ...]:
    """A command that measures, with what makes it short."""
    return ("bench", "hybrid", "--n", "1000", "--dim", "24", "--queries", "5")


def test_json_alone_prints_nothing_else_and_with_a_file_the_table_too(measured, tmp_path):
    alone = tiepoint(*measured, "--json")
    kept = tiepoint(*measured, "--json", tmp_path / "made" / "figures.json")

    assert alone.returncode == kept.returncode == 0, alone.stderr + kept.stderr
    assert json.loads(alone.stdout).keys() == {"rows", "machine", "versions"}
    assert json.loads((tmp_path / "made" / "figures.json").read_text()).keys() == {
        "rows",
        "machine",
        "versions",
    }
    assert "best of 1,000 items" in kept.stdout


def test_a_file_for_a_json_that_prints_is_told_where_it_goes(tmp_path):
    ended = tiepoint("plugins", "new", "traffic", "--json", "out.json")

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "tiepoint: Got unexpected extra argument (out.json)."
        " --json prints: send it to a file with >. See: tiepoint plugins new --help"
    ]
