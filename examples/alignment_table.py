"""Every method against every hubness correction, on your own pairs, as a Markdown table.

    python examples/alignment_table.py pairs.csv --root DIR --lang en

A method is fitted once; the corrections are then measured on its joint vectors. QB-Norm looks at
the query, so it cannot be stored in a vector: it is measured on the similarities.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.alignment.fitted import FittedAligner
from tiepoint.alignment.hubness import Correction, Hubness, qb_norm_scores, sample
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import fitted_method
from tiepoint.encoders.base import Vectors
from tiepoint.evaluation.retrieval import Retrieval, evaluate, ranks_of_scores
from tiepoint.evaluation.significance import rsum_interval

METHODS: dict[str, dict[str, Any]] = {
    "asif": {},
    "procrustes": {},
    "ridge": {},
    "cca": {},
    "contrastive": {},
    "ensemble": {"members": [{"method": "contrastive"}, {"method": "cca", "weight": 0.4}]},
}
STORED = ("csls", "inverted_softmax", "nnn")
BANK = 3000


def main() -> None:
    """Fit, measure and print."""
    from tiepoint.cli.align.features import encoded
    from tiepoint.cli.align.subjects import chosen_encoders

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--lang", action="append", default=[])
    parser.add_argument("--split", default="train")
    parser.add_argument("--val", default="val")
    parser.add_argument("--preset", default="fast")
    given = parser.parse_args()
    from tiepoint.alignment.pair_files import read_pairs

    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    encoders = chosen_encoders(None, given.preset).encoders
    train, val = (
        encoded(file.select(split, given.lang), root, encoders, False, split).pairs
        for split in (given.split, given.val)
    )
    print("| method | " + " | ".join(("none", *STORED, "qb_norm")) + " |")
    print("| --- " * (len(STORED) + 3) + "|")
    for name, options in METHODS.items():
        aligner = fitted_method(name)(encoders, **options)
        aligner.fit(train)
        print(row(aligner, train, val), flush=True)


def row(aligner: FittedAligner, train: PairSet, val: PairSet) -> str:
    """Return one line of the table: rsum with its 95 % interval for each correction."""
    first, second = val.modalities
    bank = {m: aligner.transform(m, x) for m, x in train.vectors.items()}
    joint = {m: aligner.transform(m, x) for m, x in val.vectors.items()}
    found = [evaluate(joint[first], joint[second], val.links)]
    for kind in STORED:
        correction = Correction.fit(Hubness.model_validate({"kind": kind, "bank": BANK}), bank, 0)
        corrected = {m: correction.apply(m, x) for m, x in joint.items()}
        found.append(evaluate(corrected[first], corrected[second], val.links))
    found.append(_qb_norm(joint, {m: sample(x, BANK, 0) for m, x in bank.items()}, val))
    cells = []
    for one in found:
        interval = rsum_interval(one, val.links)
        cells.append(f"{one.rsum:.1f} ({interval.low:.0f} to {interval.high:.0f})")
    return f"| {aligner.method} | " + " | ".join(cells) + " |"


def _qb_norm(joint: dict[str, Vectors], bank: dict[str, Vectors], val: PairSet) -> Retrieval:
    first, second = val.modalities
    positives = np.zeros((len(joint[first]), len(joint[second])), bool)
    positives[val.links[:, 0], val.links[:, 1]] = True
    i2t = qb_norm_scores(joint[first] @ joint[second].T, bank[first] @ joint[second].T)
    t2i = qb_norm_scores(joint[second] @ joint[first].T, bank[second] @ joint[first].T)
    return Retrieval(ranks_of_scores(i2t, positives), ranks_of_scores(t2i, positives.T))


if __name__ == "__main__":
    main()
