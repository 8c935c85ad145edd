"""Progress of long work: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from tiepoint.cli.output import say

LINE_EVERY_S = 5.0


@contextmanager
def progress_of(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Give a function that shows progress: a bar on a terminal, else a line now and then.

    Args:
        name: What is in progress.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    last = float("-inf")

    def line(done: int, total: int | None) -> None:
        nonlocal last
        if monotonic() - last >= LINE_EVERY_S and done != total:
            last = monotonic()
            say(f"{name}: {done} of {total}" if total else f"{name}: {done} so far")

    yield line
