"""One deployment with all three applications, on the embedded parts or on remote ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tests.adapters.http.processes import Served, serving
from tests.plugins.recommendation.shops import fill
from tests.videos import write_video
from tiepoint_recommendation.simulation.shop import Shop

SMALL = """
encoders:
  photo: {type: pixel-colour}
  clip: {type: video, frames: {type: pixel-colour}}
  views: {type: volume, frames: {type: pixel-colour}}
  words: {type: colour-words}
alignment: {type: colours, encoders: {image: photo, text: words}}
"""
SHIPPED = """
encoders:
  photo: {type: timm, preset: fast}
  clip: {type: video, frames: {type: timm, preset: fast}}
  views: {type: volume, frames: {type: timm, preset: fast}}
  words: {type: concat, encoders: [{type: transformers-text}, {type: use}]}
alignment: {type: default, encoders: {image: photo, text: words}}
"""
ENCODERS = {"small": SMALL, "shipped": SHIPPED}

DEPLOYMENT = """
version: 1
%(encoders)s
store: {uri: "%(store)s", server: {timeout_s: 15}}
collections:
  items:
    fields: {image: {encoder: photo}, text: {encoder: words, words: true}}
    metadata: {price: float, tags: strings}
  footage:
    fields: {video: {encoder: clip}, moving: {encoder: clip}}
    metadata: {camera: string, start_s: float, end_s: float, zones: strings, severity: int}
  cases:
    fields:
      image: {encoder: views}
      report: {encoder: words, modality: text, words: true}
      findings: {dimensions: 61}
    metadata:
      {patient: string, study: string, present: strings, absent: strings, uncertain: strings}
sources:
  pictures: {type: folder, path: ./pictures}
plugins:
  security:
    cameras:
      red: {address: %(folder)s/red.mp4, loop: true, fps: 5, zones: {all: %(whole)s}}
      green: {address: %(folder)s/green.mp4, loop: true, fps: 5, zones: {all: %(whole)s}}
    rules:
      inside: {when: {intrusion: {zones: [all]}}, severity: critical}
    evidence: {before_s: 1, after_s: 1}
    footage: {segment_s: 2, still_s: 2}
    records: {folder: %(folder)s/security, audit_key: a secret%(database)s}
  medical: {state: %(folder)s/medical%(database)s}
  recommendation: {store: %(folder)s/shop%(database)s}
server: {port: 0, state: %(folder)s/state}
"""
WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]]

REPORTS = {
    "CT_small.dcm": "Large left pleural effusion. Cardiomegaly.",
    "MR_small.dcm": "No pleural effusion. No pneumothorax. The heart is normal.",
    "JPEG2000.dcm": "Left pleural effusion with atelectasis.",
    "693_J2KI.dcm": "A nodule in the right upper lobe may represent a granuloma.",
}


@dataclass
class Site:
    """A deployment's folder and file; `service` is its running process.

    Attributes:
        folder: Where everything of it is that is not elsewhere.
        store: The store's URI.
        database: The URL of a PostgreSQL; None for SQLite in the folder.
        encoders: `small` (colours) or `shipped`.
    """

    folder: Path
    store: str
    database: str | None
    encoders: str
    service: Served | None = None
    noted: dict[str, Any] = field(default_factory=dict)
    _life: ExitStack = field(default_factory=ExitStack)

    @property
    def file(self) -> Path:
        return self.folder / "deployment.yaml"

    def write(self) -> Path:
        """Write the deployment file; only the two places of the data differ between sites."""
        database = "" if self.database is None else f", database: '{self.database}'"
        self.folder.mkdir(exist_ok=True)
        self.file.write_text(
            DEPLOYMENT
            % {
                "encoders": ENCODERS[self.encoders],
                "store": self.store,
                "database": database,
                "folder": self.folder,
                "whole": json.dumps(WHOLE),
            }
        )
        return self.file

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        assert self.service is not None
        with self.service.client() as client:
            yield client

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve it until the block ends, which kills the process."""
        with ExitStack() as self._life:
            self.service = self._life.enter_context(serving(self.file))
            yield
        self.service = None

    def restart(self) -> None:
        """Kill the process that serves it, as `kill -9` does, and start another."""
        self._life.close()
        self.service = self._life.enter_context(serving(self.file))


def furnish(site: Site, shop: Shop) -> None:
    """Give a site its cameras' films, pictures, DICOM files with reports, and a shop."""
    for name, colour in {"red": (200, 40, 40), "green": (40, 160, 60)}.items():
        write_video(site.folder / f"{name}.mp4", film(colour), rate=5)
    pictures = site.folder / "pictures"
    pictures.mkdir()
    for name, content in pictures_by_colour().items():
        (pictures / f"{name}.png").write_bytes(content)
    studies = site.folder / "dicom"
    studies.mkdir()
    lines = ["key,text"]
    for name, report in REPORTS.items():
        image = dcmread(get_testdata_file(name, download=False))
        image.PatientID, image.StudyInstanceUID = f"MRN{len(lines)}", f"1.2.826.9.{len(lines)}"
        image.save_as(studies / name)
        lines.append(f'{image.StudyInstanceUID},"{report}"')
    (site.folder / "reports.csv").write_text("\n".join(lines))
    fill(shop, site.folder / "shop", site.database)


def film(colour: tuple[int, int, int]) -> Iterator[np.ndarray]:
    """Give 12 s of a square that crosses a wall of a colour, and comes in again."""
    wall = np.random.default_rng(1).integers(-30, 30, (120, 160, 1)) + np.array(colour)
    for number in range(60):
        picture = wall.clip(0, 255).astype(np.uint8)
        left = 4 * number % 200
        picture[40:60, left : left + 20] = 255
        yield picture


def pictures_by_colour() -> dict[str, bytes]:
    """Return plain pictures as PNG."""
    import io

    from PIL import Image

    made = {}
    for name, colour in {
        "red": (220, 30, 30),
        "green": (20, 160, 60),
        "blue": (30, 60, 200),
    }.items():
        content = io.BytesIO()
        Image.new("RGB", (64, 48), colour).save(content, "PNG")
        made[name] = content.getvalue()
    return made
