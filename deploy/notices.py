"""Writes the licences of the distributions that tiepoint and its plugins install.

python deploy/notices.py THIRD-PARTY.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

OURS = ("tiepoint", "tiepoint-security", "tiepoint-medical", "tiepoint-recommendation")
EXTRAS = {"tiepoint": {"audio", "oidc", "telemetry", "video"}}

HEAD = """# Third-party software

What is installed with tiepoint and its plugins on this kind of machine, with the licence that each
distribution states; its full text lies in the distribution's `.dist-info` folder. Written by
`make notices`. Beside these, `adapters/tiepoint_adapters/http/pages/assets/vendor` holds htm
(Apache-2.0) and Preact (MIT), with their licences.

| distribution | version | licence | home |
| --- | --- | --- | --- |
"""


def needed() -> dict[str, Distribution]:
    """Return the distributions that ours need, by name; ours are not among them."""
    found: dict[str, Distribution] = {}
    waiting = [(name, frozenset(EXTRAS.get(name, ()))) for name in OURS]
    while waiting:
        name, extras = waiting.pop()
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue
        if name not in OURS:
            if name in found:
                continue
            found[name] = one
        for line in one.requires or ():
            requirement = Requirement(line)
            wanted = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
            )
            if wanted:
                further = re.sub(r"[-_.]+", "-", requirement.name).lower()
                waiting.append((further, frozenset(requirement.extras)))
    return dict(sorted(found.items()))


def rows() -> Iterator[str]:
    """Yield a table row of each distribution."""
    for name, one in needed().items():
        about = one.metadata
        homes = [about.get("Home-page"), *(about.get_all("Project-URL") or ())]
        home = next((text.rpartition(", ")[2] for text in homes if text), "")
        yield f"| {name} | {one.version} | {_licence(one)} | {home} |\n"


def _licence(one: Distribution) -> str:
    about = one.metadata
    stated = about.get("License-Expression")
    if not stated:
        classes = [
            c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or () if "License" in c
        ]
        stated = ", ".join(c for c in classes if c != "OSI Approved") or about.get("License") or ""
    if stated.upper() == "UNKNOWN":
        stated = ""
    return " ".join(stated.split())[:80].replace("|", "/") or "see its files"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(HEAD + "".join(rows()), "utf-8")
