"""The demo's answers on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tiepoint_adapters.demo.answers import SHOWN, Answer, Section
from tiepoint_adapters.demo.filling import Filling

ALIGNMENT_NOTE = (
    "Pictures and texts meet through an alignment that was never trained on pairs (ConSE over"
    " ImageNet's classes): it knows everyday objects, and little of scenes, materials or medicine."
)


def print_report(sections: Sequence[Section], filling: Filling, warm_up_s: float) -> None:
    """Print what was indexed, every answer, and how many were as expected."""
    console = Console()
    cached = filling.pictures - filling.encoded
    console.print(
        f"{filling.pictures} pictures in {filling.picture_s:.2f} s"
        f" ({filling.pictures_per_s:.0f}/s{f', {cached} from the cache' if cached else ''}),"
        f" {filling.captions} captions in {filling.caption_s:.2f} s;"
        f" models loaded in {warm_up_s:.1f} s",
        highlight=False,
    )
    for skipped in filling.skipped:
        console.print(f"skipped {skipped.where}: {skipped.reason}", markup=False, highlight=False)
    for section in sections:
        console.print(_answers(section))
    console.print(_summary(sections))
    console.print(ALIGNMENT_NOTE, highlight=False)


def _answers(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("query", overflow="fold", ratio=4)
    table.add_column("first hit", overflow="fold", ratio=4)
    table.add_column("score", justify="right")
    table.add_column("expected", justify="right", ratio=2)
    table.add_column("ms", justify="right")
    for answer in section.answers:
        best = answer.hits[0] if answer.hits else None
        table.add_row(
            Text(answer.question.label),
            Text(best.id if best else "nothing"),
            f"{best.score:.3f}" if best else "",
            _verdict(answer),
            f"{answer.took_ms:.1f}",
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
        judged = section.judged
        table.add_row(
            section.title,
            str(len(section.answers)),
            f"{section.found(1)}/{judged}" if judged else "–",
            f"{section.found(SHOWN)}/{judged}" if judged else "–",
            f"{section.median_ms:.1f}",
        )
    return table
