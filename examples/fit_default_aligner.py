"""Fit the shipped aligner: photographs with English and Chinese captions into one space.

    python examples/fit_default_aligner.py flickr8k/pairs.csv --out default-aligner

This is how the weights in `tiepoint/alignment/default` were made. On the same machine it gives
the same tensors, byte for byte, and with the same `--date` the same card. With a file of your own
pairs (`image,text,lang,split`) it gives an aligner of the same kind for your pictures; a
deployment names it by `type: saved` and `path`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiepoint.alignment.calibrating import calibrate_out_of_fold, reliabilities
from tiepoint.alignment.fallback import FallbackAligner
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pair_files import read_pairs
from tiepoint.alignment.pairs import PairSet
from tiepoint.cli.align.features import encoded
from tiepoint.cli.align.options import PRESETS
from tiepoint.cli.align.subjects import chosen_encoders
from tiepoint.encoders.base import Encoder
from tiepoint.evaluation.significance import rsum_interval
from tiepoint.types import Modality

HEADS: dict[str, Any] = {
    "inputs": {"root": ["image"], "standardise": True, "languages": "separate"},
    "canonical": {
        "regularisation_first": 1.5,
        "regularisation_second": 0.1,
        "dimensions": 256,
        "power": 0.75,
    },
    "hubness": {"kind": "inverted_softmax", "beta": 13.0, "bank": 5000},
    "storage": "int8",
}
CLASS_NAMES: dict[str, Any] = {
    "columns": [384, 896],  # those of USE, which knows the names in both languages
    "storage": "int8",
}
RECIPE: dict[str, Any] = {
    "members": [
        {"method": "contrastive", "options": HEADS},
        {"method": "class-names", "weight": 0.05, "options": CLASS_NAMES},
    ],
    "unfamiliar": 2.0,
    "storage": "int8",
}
SEED = 0
GALLERIES = (100, 1000)
"""Sizes of the galleries that the card's figures of reliability are for."""


def main() -> None:
    """Fit both presets, and say how well they find."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path, help="CSV: image,text,lang,split")
    parser.add_argument("--root", type=Path, help="folder of the images")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, action="append")
    parser.add_argument("--notice", default="", help="terms of the data, for the card")
    parser.add_argument("--date", help="for the card; now if not given")
    given = parser.parse_args()
    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    for preset in given.preset or PRESETS:
        chosen = chosen_encoders(None, preset)
        train, val = (
            encoded(file.select(split), root, chosen.encoders, True, f"{preset}, {split}").pairs
            for split in ("train", "val")
        )
        aligner = FallbackAligner(chosen.encoders, **RECIPE)
        report = aligner.fit(train, settings=FitSettings(SEED))
        aligner.with_card(calibration=_calibration(chosen.encoders, train), notice=given.notice)
        figures = measured(aligner, val)
        aligner.with_card(metrics=figures)
        if given.date is not None:
            aligner.with_card(date=given.date)
        aligner.save(given.out / preset)
        card = aligner.card
        sums = {language: round(one["rsum"], 1) for language, one in figures.items()}
        print(
            f"{preset}: {report.pairs} pairs in {report.seconds:.0f} s; rsum {sums};"
            f" SHA-256 {card.sha256 if card else ''}",
            flush=True,
        )


def _calibration(encoders: Mapping[Modality, Encoder], train: PairSet) -> dict[str, Any]:
    return calibrate_out_of_fold(
        lambda: FallbackAligner(encoders, **RECIPE), train, folds=3, seed=SEED
    )


def measured(aligner: FallbackAligner, val: PairSet) -> dict[str, Any]:
    """Return the figures of each language, whose captions are a gallery of their own."""
    figures = {}
    for language in sorted(set(val.languages)):
        part = val.of_language(language)
        retrieval = aligner.evaluate(part)
        interval = rsum_interval(retrieval, part.links)
        figures[language] = retrieval.as_dict() | {
            "interval": [interval.low, interval.high],
            "calibration": {
                str(size): reliabilities(aligner, part, size, SEED) for size in GALLERIES
            },
        }
    return figures


if __name__ == "__main__":
    main()
