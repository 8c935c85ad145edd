"""The half of the planted corpus that was kept until the engine was done, header and pixels."""

from __future__ import annotations

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.plugins.medical.deid_oracle import leaks, violations
from tests.plugins.medical.planted import corpus
from tiepoint_adapters.dicom import read_dicom, render
from tiepoint_medical.deid.engine import deidentify
from tiepoint_medical.deid.folder import new_name
from tiepoint_medical.deid.identities import Identities
from tiepoint_medical.deid.pixels import clean_pixels

SECRET = Identities(b"a secret of the tests, long enough")
DATA = Path(os.environ.get("TIEPOINT_DATA", Path(__file__).parents[3].parent / "shared/data"))
PICTURES = DATA / "covid_cxr"


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(
    not PICTURES.is_dir(), reason="the shared pictures are not here (TIEPOINT_DATA)"
)
def test_nothing_planted_is_left_in_the_second_half(record_property):
    header, rules, visible, shares, residual = [], [], [], [], 0
    objects = pictures = 0
    for number, planted in enumerate(corpus(PICTURES)):
        if number % 4 < 2:  # a study has two objects; every second study is the kept half
            continue
        objects += 1
        part = read_dicom(planted.content)
        done = deidentify(part, SECRET)
        rules += violations(part.dataset, done.dataset)
        report = clean_pixels(part, done.dataset)
        stream = io.BytesIO()
        done.dataset.save_as(stream, enforce_file_format=True)
        content = stream.getvalue()
        after = read_dicom(content)
        bare = content.replace(done.dataset.get("PixelData", b"\0"), b"")
        header += leaks(bare + new_name(done).encode(), planted.identity.strings())
        if planted.ink is None:
            continue
        pictures += 1
        residual += bool(report.residual)
        shares.append(report.share)
        left = _readable(planted.ink, render(part), render(after))
        if left > 0.02:
            visible.append((planted.size, planted.corner, planted.polarity, round(left, 3)))
        print(objects, pictures, len(header), len(visible), visible[-1:], flush=True)  # noqa: T201
    record_property("share", float(np.mean(shares)))
    print(objects, pictures, visible, residual, np.mean(shares), np.max(shares))  # noqa: T201
    assert (header, rules, visible) == ([], [], [])


def _readable(ink: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """Which share of the planted text's pixels is as it was, and not in a blacked-out place."""
    around = np.ones((5, 5), np.uint8)
    flat = cv2.dilate(after, around) == cv2.erode(after, around)
    return float(((before == after) & ~flat)[ink].mean())
