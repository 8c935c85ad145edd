"""The demo's answers on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tiepoint.cli.output import printable
from tiepoint_adapters.demo.answers import SHOWN, Answer, Section
from tiepoint_adapters.demo.exhibits import Exhibit
from tiepoint_adapters.demo.filling import Filling

ALIGNMENT_NOTE = (
    "Pictures and texts meet through the shipped alignment: learned on photographs of people and"
    " animals, it falls back on ImageNet's class names for the rest, and knows little of materials"
    " or medicine."
)


def print_report(
    sections: Sequence[Section],
    filling: Filling,
    warm_up_s: float,
    exhibits: Sequence[Exhibit] = (),
) -> None:
    """Print what was indexed, every answer, how many were as expected, and what plugins show."""
    console = Console()
    rate = filling.pictures_per_s
    cached = f"{filling.pictures - filling.encoded} vectors from the cache"
    console.print(
        f"{filling.pictures} pictures in {filling.picture_s:.2f} s"
        f" ({cached if rate is None else f'{rate:.0f}/s'}),"
        f" {filling.captions} captions in {filling.caption_s:.2f} s;"
        f" models loaded in {warm_up_s:.1f} s",
        highlight=False,
    )
    for skipped in filling.skipped:
        line = printable(f"skipped {skipped.where}: {skipped.reason}")
        console.print(line, markup=False, highlight=False)
    for section in sections:
        console.print(_answers(section))
    judged = [section for section in sections if section.judged]
    if judged:
        console.print(_summary(judged))
    console.print(ALIGNMENT_NOTE, highlight=False)
    for exhibit in exhibits:
        console.print(_exhibited(exhibit))


def _answers(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("query", overflow="fold", ratio=4)
    table.add_column("first hit", overflow="fold", ratio=4)
    table.add_column("score", justify="right")
    table.add_column("ms", justify="right")
    if section.judged:
        table.add_column("expected", justify="right", ratio=2)
    for answer in section.answers:
        best = answer.hits[0] if answer.hits else None
        table.add_row(
            Text(printable(answer.question.label)),
            Text(printable(best.id) if best else "nothing"),
            f"{best.score:.3f}" if best else "",
            f"{answer.took_ms:.1f}",
            *([_verdict(answer)] if section.judged else []),
        )
    return table


def _verdict(answer: Answer) -> Text:
    if not answer.question.expected:
        return Text("–")
    if answer.rank is None:
        return Text(f"not in first {SHOWN}", style="red")
    return Text(f"at {answer.rank}", style="green" if answer.rank == 1 else "yellow")


def _summary(sections: Sequence[Section]) -> Table:
    table = Table(title="As expected", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("direction", "queries", "recall@1", f"recall@{SHOWN}", "median ms"):
        table.add_column(name, justify="left" if name == "direction" else "right")
    for section in sections:
        table.add_row(
            section.title,
            str(len(section.answers)),
            f"{section.found(1)}/{section.judged}",
            f"{section.found(SHOWN)}/{section.judged}",
            f"{section.median_ms:.1f}",
        )
    return table


def _exhibited(exhibit: Exhibit) -> Table:
    title = f"{exhibit.title} ({exhibit.took_s:.1f} s)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("what", overflow="fold", ratio=3)
    table.add_column("found", overflow="fold", ratio=3)
    table.add_column("", overflow="fold", ratio=4)
    for part in exhibit.parts:
        for number, one in enumerate(part.shown):
            heading = part.heading if number == 0 else ""
            cells = (heading, one.title, "; ".join(one.lines))
            table.add_row(*(Text(printable(cell)) for cell in cells))
    return table
