"""`tiepoint security index`: make recordings searchable, as if a camera had seen them now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.errors import DecodeError, InputError
from tiepoint_security.cli.footage import MOMENTS, footage_of, moment

if TYPE_CHECKING:
    from tiepoint_adapters.media.cameras.options import CameraOptions
    from tiepoint_security.cli.footage import Footage


@click.command(epilog="Example: tiepoint security index deployment.yaml gate.mp4 --camera gate")
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--camera", metavar="NAME", help="Whose they are; the name of each file if not given."
)
@click.option(
    "--begins",
    type=click.DateTime(MOMENTS),
    metavar="TIME",
    help="When the recording was begun (UTC); what the file tells of that if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def index(
    config: Path,
    files: tuple[Path, ...],
    camera: str | None,
    begins: datetime | None,
    as_json: bool,
) -> None:
    """Cut recordings into segments and index them for `search`.

    FILES are videos or folders of frames. Privacy masks of a camera of the deployment are
    burned in. A file that was indexed before is indexed anew in place of what there is. Where a
    running process holds the store, segments are encoded here and written by that process.

    With --json: {"recordings": [{"file", "camera", "segments", "skipped": [{"where",
    "reason"}]}]}; files that cannot be read are among "skipped", and the exit code is 2 if no
    file could be.
    """
    from tiepoint.cli.targets import indexing_target
    from tiepoint_adapters.clock import SystemClock
    from tiepoint_security.footage.index import FootageIndex
    from tiepoint_security.footage.recordings import begun_at, recorded_segments

    if begins is not None and len(files) > 1:
        raise InputError(
            "several files cannot have begun at one time",
            where="--begins",
            hint="Give one file at a time.",
        )
    footage = footage_of(config)
    told = []
    with indexing_target(footage.deployment) as target:
        index = FootageIndex(target, footage.settings.collection, footage.store)
        for file in files:
            name = camera or file.stem
            count, skipped = 0, []
            try:
                began_s = moment(begins)
                segments = recorded_segments(
                    name,
                    _options(footage, name, file),
                    begun_at(file) if began_s is None else began_s,
                    footage.store,
                    footage.settings,
                    SystemClock(),
                )
                for segment in segments:
                    report = index.add([segment])
                    count += 1 - len(report.skipped)
                    skipped += [(one.where, one.reason) for one in report.skipped]
            except DecodeError as error:
                skipped.append((str(file), error.what))
            told.append(
                {
                    "file": str(file),
                    "camera": name,
                    "segments": count,
                    "skipped": [{"where": where, "reason": why} for where, why in skipped],
                }
            )
            for where, why in skipped:
                say(f"skipped {where}: {why}")
            if not as_json:
                echo(f"{file}: {count} segments of camera {name}")
    if as_json:
        print_json({"recordings": told})
    if not any(one["segments"] for one in told):
        raise InputError("no recording could be indexed", hint="Mend what is listed as skipped.")


def _options(footage: Footage, name: str, file: Path) -> CameraOptions:
    """Return how to read a file: as the camera of this name is read, if there is one."""
    from tiepoint_adapters.media.cameras.options import CameraOptions

    camera = footage.config.cameras.get(name, CameraOptions(address=str(file)))
    return CameraOptions(
        address=str(file.absolute()),
        fps=camera.fps,
        short_side=camera.short_side,
        masks=camera.masks,
        folder_fps=camera.folder_fps,
    )
