"""The demo's pictures: photographs and DICOM images that come with installed packages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tiepoint.errors import MissingDependencyError
from tiepoint_adapters.demo.dicom import render_dicom

LANGUAGES: Mapping[str, str] = {"english": "en", "chinese": "zh", "text": ""}
"""The language (BCP 47) of each caption field; of a user's own texts it is not known."""

_DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn", "pydicom": "pydicom"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the demo.

    Attributes:
        id: Its id in all collections.
        path: Its file.
        captions: Its texts by field (`english`, `chinese`, or `text` for a user's own).
        credit: Who made it, and under which terms; may be empty.
    """

    id: str
    path: Path
    captions: Mapping[str, str]
    credit: str = ""


def packaged_pictures(rendered: Path) -> list[Picture]:
    """Return the pictures that `samples.json` lists.

    Args:
        rendered: The folder that takes pictures made from DICOM files.

    Raises:
        MissingDependencyError: A package that brings them is absent.
    """
    pictures = []
    for sample in json.loads(Path(__file__).with_name("samples.json").read_text("utf-8")):
        path = packaged_file(sample["package"], sample["file"])
        if path.suffix == ".dcm":
            path = render_dicom(path, rendered / f"{sample['id']}.png")
        pictures.append(_picture(sample, path))
    return pictures


def _picture(sample: Mapping[str, Any], path: Path) -> Picture:
    captions = {field: sample[field] for field in ("english", "chinese")}
    credit = f"{sample['credit']} (in {_DISTRIBUTIONS[sample['package']]})"
    return Picture(sample["id"], path, captions, credit)


def packaged_file(package: str, name: str) -> Path:
    """Return a file of an installed package, found without importing the package.

    Raises:
        MissingDependencyError: The package or the file is absent.
    """
    spec = find_spec(package)
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / name
        if path.is_file():
            return path
    raise MissingDependencyError(
        "a picture of the demo is absent",
        where=f"{package}/{name}",
        hint=f"Install it: pip install {_DISTRIBUTIONS[package]}",
    )
