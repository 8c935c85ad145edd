"""From an exception to one line on stderr and an exit code.

0: done. 1: the work failed. 2: the input or the configuration is wrong. 130: interrupted
by Ctrl-C. 143: terminated by SIGTERM.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback

import click

from tiepoint import registry
from tiepoint.cli.output import say
from tiepoint.cli.signals import Terminated
from tiepoint.errors import TiepointError

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
TERMINATED = 143

_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def report(error: BaseException, *, debug: bool) -> int:
    """Tell the user of an error in one line and return the exit code.

    Args:
        error: What ended the command.
        debug: Write the traceback first.
    """
    if debug and not isinstance(error, click.ClickException | click.Abort):
        traceback.print_exception(error)
    if isinstance(error, TiepointError):
        say(str(error))
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return WRONG_INPUT
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "tiepoint"
        hint = "--json prints: send it to a file with >. " if _named_a_json_file(error) else ""
        say(f"{_sentence(error.format_message())} {hint}See: {command} --help")
        return WRONG_INPUT
    if isinstance(error, click.ClickException):
        say(error.format_message())
        return error.exit_code
    if isinstance(error, Terminated):
        say("terminated")
        return TERMINATED
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("interrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return FAILED
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        place = f"{error.filename}: " if error.filename else ""
        say(f"{place}the disk is full. Free some space and run the command again.")
        return FAILED
    if isinstance(error, OSError) and error.filename and error.errno in _REFUSED:
        say(f"{error.filename}: {error.strerror}. Give this user access, or name another path.")
        return FAILED
    broken = registry.failed_import(error) if isinstance(error, Exception) else None
    if broken is not None:
        say(str(broken))
        return broken.exit_code
    say(
        f"{_sentence(f'unexpected {type(error).__name__}: {error}')}"
        " For the traceback: tiepoint --debug ..."
    )
    return FAILED


def _named_a_json_file(error: click.UsageError) -> bool:
    """Whether a word is too many beside a `--json` that prints, as it may name a file elsewhere."""
    if error.ctx is None or "unexpected extra argument" not in error.message:
        return False
    return bool(error.ctx.params.get("as_json"))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _silence_stdout() -> None:
    """Keep Python from complaining, at its end, about what the closed pipe did not take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
