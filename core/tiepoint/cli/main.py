"""The command `tiepoint`: global options, and one exit for every error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from tiepoint import __version__, registry
from tiepoint.cli.errors import report
from tiepoint.cli.group import ComponentGroup
from tiepoint.cli.output import printable
from tiepoint.cli.signals import termination_raises

COMPLETION = "_TIEPOINT_COMPLETE"


@dataclass(slots=True)
class Frame:
    """What the global options say; commands find it as `ctx.obj`."""

    debug: bool = False


@click.group(
    cls=ComponentGroup,
    components=registry.COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="tiepoint")
@click.option("-v", "--verbose", count=True, help="Say more of what is done (-vv: everything).")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_obj
def tiepoint(frame: Frame, verbose: int, debug: bool) -> None:
    """Images, text, sound and DICOM pictures in one space by similarity search."""
    frame.debug = debug
    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    for package in _packages():
        logging.getLogger(package).setLevel(level)


class _Printable(logging.Formatter):
    """Escapes what a terminal would obey; lines, as of a traceback, stay lines."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).split("\n"))


def _packages() -> set[str]:
    """Return the packages that are part of the suite: ours, and those of plugins."""
    targets = (part.target for group in registry.NOUNS for part in registry.components(group))
    return {target.partition(":")[0].partition(".")[0] for target in targets}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: The words after `tiepoint`; those of the process if not given.
    """
    instruction = os.environ.get(COMPLETION)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(tiepoint, {"obj": Frame()}, "tiepoint", COMPLETION, instruction)
    frame = Frame()
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        with (
            termination_raises(),
            tiepoint.make_context("tiepoint", words, obj=frame) as context,
        ):
            result = tiepoint.invoke(context)
        if sys.stdout is not None:  # as it is where it was closed before the start (`>&-`)
            sys.stdout.flush()  # so that a closed pipe shows here
    except click.exceptions.Exit as end:
        return end.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every error ends here
        return report(error, debug=frame.debug)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0
