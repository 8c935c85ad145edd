"""The installed command `tiepoint`, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

TIEPOINT = str(Path(sysconfig.get_path("scripts")) / "tiepoint")


def tiepoint(*words: str | Path, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command with further environment variables; returns when it has ended."""
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    return subprocess.run(
        [TIEPOINT, *map(str, words)],
        capture_output=True,
        text=True,
        env=variables,
        timeout=300,
        check=False,
    )
