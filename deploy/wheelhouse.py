"""Writes what a wheelhouse holds: `requirements.txt` with versions and hashes, and `SHA256SUMS`.

python deploy/wheelhouse.py wheelhouse
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path


def describe(folder: Path) -> None:
    """Write both files beside the wheels.

    Raises:
        SystemExit: A distribution is there in two versions, or there is none.
    """
    pins: dict[str, str] = {}
    sums = []
    for wheel in sorted(folder.glob("*.whl")):
        # Neither has a hyphen: packaging.python.org/specifications/binary-distribution-format
        distribution, version = wheel.name.split("-")[:2]
        name = re.sub(r"[-_.]+", "-", distribution).lower()
        with wheel.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if name in pins:
            raise SystemExit(
                f"{folder}: there are two wheels of {name}. Empty it and fill it again."
            )
        pins[name] = f"{name}=={version} --hash=sha256:{digest}"
        sums.append(f"{digest}  {wheel.name}")
    if not pins:
        raise SystemExit(f"{folder}: there is no wheel. Run `make wheelhouse`.")
    (folder / "requirements.txt").write_text("\n".join(pins.values()) + "\n", "utf-8")
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", "utf-8")


if __name__ == "__main__":
    describe(Path(sys.argv[1]))
