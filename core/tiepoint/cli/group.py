"""A group of commands that come in through entry points, each imported when it is used."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from tiepoint import registry
from tiepoint.cli.output import warn
from tiepoint.errors import PluginError

_SHORT_HELP_WIDTH = 90


class ComponentGroup(click.Group):
    """A click group over a group of entry points.

    Listing its commands (help, completion) imports none of them, so that it is fast and a
    broken one does no harm.

    Args:
        components: The group of entry points, such as `tiepoint.commands`.
    """

    def __init__(self, *args: Any, components: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.components = components

    def list_commands(self, ctx: click.Context) -> list[str]:
        return registry.names(self.components)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in registry.names(self.components):
            return None
        self._warn_of_hidden(cmd_name)
        command = registry.load(self.components, cmd_name)
        if not isinstance(command, click.Command):
            component = registry.find(self.components, cmd_name)
            raise PluginError(
                f"{component or cmd_name} is not a click command",
                hint="Upgrade or uninstall the distribution.",
            )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in registry.names(self.components) and not args[0].startswith("-"):
            noun = registry.NOUNS[self.components]
            hint = registry.suggest(self.components, args[0])
            raise click.UsageError(f"there is no {noun} {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            self._warn_of_hidden(name)
            rows.append((name, self.summary_of(name)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=self.summary_of(name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def _warn_of_hidden(self, name: str) -> None:
        for component in registry.components(self.components):
            if component.name == name and component.shadowed_by:
                warn(
                    f"{component} is hidden by that of {component.shadowed_by};"
                    " uninstall one of them"
                )

    def summary_of(self, name: str) -> str:
        """Return the line that lists a command, without importing it."""
        component = registry.find(self.components, name)
        if component is None:
            return ""
        if component.distribution == "tiepoint":
            return _first_sentence(component.target)
        return f"{component.summary or 'No summary'} ({component.distribution})"


def _first_sentence(target: str) -> str:
    """Return the first line of a function's docstring, read from its source: not imported."""
    module, _, function = target.partition(":")
    try:
        spec = find_spec(module)
        source = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
        tree = ast.parse(source)
    except (ImportError, OSError, SyntaxError, ValueError):
        return "(cannot be read; see `tiepoint plugins --check`)"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            text = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
            return text.removesuffix(".")[:_SHORT_HELP_WIDTH]
    return ""
