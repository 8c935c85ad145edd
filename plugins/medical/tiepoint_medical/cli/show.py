"""`tiepoint medical show`: DICOM files as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiepoint.cli.json_file import deliver, json_option
from tiepoint.cli.output import echo, make_folder, say
from tiepoint.cli.progress import progress_of
from tiepoint.errors import InputError


@click.command(epilog="Example: tiepoint medical show ~/studies --out pictures")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder that takes the pictures.",
)
@json_option
@click.option("--all-frames", is_flag=True, help="Every frame, not only first, middle and last.")
@click.option(
    "--window", default=1, type=click.IntRange(1, 100), help="Which window, where there are many."
)
def show(path: Path, out: Path, json_file: Path | None, all_frames: bool, window: int) -> None:
    """Render the DICOM files of a folder, or one file, to PNG.

    A picture is what a viewer shows: windowed, inverted where the object says so, in RGB where
    it is in colour, with square pixels. What cannot be read is listed with the reason; where it
    is the one file that was named, the exit code is 2.

    --json: a list of one object a file: {"file", "ok", "reason", "modality", "transfer_syntax",
    "frames", "png": [..]}. An object without pixels is ok, with what it is as the reason.
    """
    from tiepoint_adapters.dicom.finding import require_files
    from tiepoint_medical.showing import shown

    files = require_files(path)
    make_folder(out)
    found: list[dict[str, Any]] = []
    with progress_of("show") as progress:
        for done, file in enumerate(files, 1):
            found.append(shown(file, path, out, all_frames=all_frames, window=window - 1))
            progress(done, len(files))
    only_json = not deliver(json_file, found)
    if path.is_file() and len(found) == 1 and not found[0]["ok"]:
        raise InputError(found[0]["reason"], where=str(path), hint="Give another file.")
    if only_json:
        return
    for entry in found:
        if not entry["ok"]:
            say(f"not shown {entry['file']}: {entry['reason']}")
    pictures = sum(len(entry["png"]) for entry in found)
    read = sum(entry["ok"] for entry in found)
    echo(f"{read} of {len(found)} files read, {pictures} pictures in {out}")
