"""Fit the shipped aligner: photographs with English and Chinese captions into one space.

    python examples/fit_default_aligner.py flickr8k/pairs.csv --out default-aligner

This is how the weights in `tiepoint/alignment/default` were made. On the same machine it gives
the same bytes. With a file of your own pairs (`image,text,lang,split`) it gives an aligner of the
same kind for your pictures; a deployment names it by `type: saved` and `path`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tiepoint.alignment.calibrating import calibrate, cross_validated
from tiepoint.alignment.contrastive import ContrastiveAligner
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pair_files import read_pairs
from tiepoint.alignment.pairs import PairSet
from tiepoint.cli.align.features import encoded
from tiepoint.cli.align.options import PRESETS
from tiepoint.cli.align.subjects import chosen_encoders
from tiepoint.evaluation.significance import rsum_interval

RECIPE: dict[str, Any] = {
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
SEED = 0


def main() -> None:
    """Fit both presets, and say how well they find."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path, help="CSV: image,text,lang,split")
    parser.add_argument("--root", type=Path, help="folder of the images")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, action="append")
    parser.add_argument("--notice", default="", help="terms of the data, for the card")
    given = parser.parse_args()
    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    for preset in given.preset or PRESETS:
        chosen = chosen_encoders(None, preset)
        train, val = (
            encoded(file.select(split), root, chosen.encoders, True, f"{preset}, {split}").pairs
            for split in ("train", "val")
        )
        aligner = ContrastiveAligner(chosen.encoders, **RECIPE)
        report = aligner.fit(train, settings=FitSettings(SEED))
        figures = measured(aligner, val)
        aligner.with_card(
            metrics=figures | {"calibration": cross_validated(aligner, val)},
            calibration=calibrate(aligner, val),
            notice=given.notice,
        )
        aligner.save(given.out / preset)
        print(f"{preset}: {report.pairs} pairs in {report.seconds:.0f} s; {figures}")


def measured(aligner: ContrastiveAligner, val: PairSet) -> dict[str, Any]:
    """Return the figures of each language, whose captions are a gallery of their own."""
    figures = {}
    for language in sorted(set(val.languages)):
        part = val.of_language(language)
        retrieval = aligner.evaluate(part)
        interval = rsum_interval(retrieval, part.links)
        figures[language] = retrieval.as_dict() | {"interval": [interval.low, interval.high]}
    return figures


if __name__ == "__main__":
    main()
