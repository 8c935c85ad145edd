"""What a few hundred pairs are worth with and without the images and texts that have no partner.

    python examples/few_pairs.py flickr8k/pairs.csv --lang en --pairs-kept 500

Every draw keeps some random pairs of `train`; its other images and texts are unpaired. The
settings of the supervised methods and of `semi-supervised` are chosen on draws of a part of
`train`, validated on the rest of it; then new draws are measured on `val`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pair_files import read_pairs
from tiepoint.alignment.pairs import PairSet
from tiepoint.alignment.saved import fitted_method
from tiepoint.cli.align.features import encoded
from tiepoint.cli.align.options import PRESETS
from tiepoint.cli.align.subjects import chosen_encoders
from tiepoint.encoders.base import Encoder
from tiepoint.types import Modality

Candidate = tuple[str, dict[str, Any]]

_HUBNESS = {"kind": "nnn"}
SUPERVISED: list[Candidate] = [
    ("ridge", {}),
    ("procrustes", {}),
    *(
        ("cca", {"regularisation_first": r, "regularisation_second": r, "power": p})
        for r in (4.0, 8.0, 16.0)
        for p in (0.5, 1.0)
    ),
    (
        "contrastive",
        {"canonical": {"regularisation_first": 8.0, "regularisation_second": 8.0, "power": 1.0}},
    ),
]
SEMI_SUPERVISED: list[Candidate] = [
    ("semi-supervised", {}),
    ("semi-supervised", {}),
    ("semi-supervised", {"regularisation": 1.5}),
    ("semi-supervised", {"regularisation": 4.0}),
]
FOLD = 1000
CHOOSING_SEEDS = (100, 101)
SEEDS = (0, 1, 2, 3, 4)


def main() -> None:
    """Choose, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path, help="CSV: image,text,lang,split")
    parser.add_argument("--root", type=Path, help="folder of the images")
    parser.add_argument("--lang", default="en")
    parser.add_argument("--preset", choices=PRESETS, default="fast")
    parser.add_argument("--pairs-kept", type=int, default=500)
    given = parser.parse_args()
    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    encoders = chosen_encoders(None, given.preset).encoders
    train, val = (
        encoded(file.select(split, [given.lang]), root, encoders, True, split).pairs
        for split in ("train", "val")
    )
    rows = np.random.default_rng(0).permutation(len(train.vectors[train.modalities[0]]))
    inner, fold = train.of_first(rows[FOLD:]), train.of_first(rows[:FOLD])
    drawn = [draw(inner, given.pairs_kept, seed) for seed in CHOOSING_SEEDS]
    supervised = best(encoders, SUPERVISED, drawn, fold)
    semi_supervised = best(encoders, SEMI_SUPERVISED, drawn, fold)
    print(f"\nchosen on train: {supervised}, {semi_supervised}\n")
    print("| draw | supervised | semi-supervised | ratio |\n| --- | --- | --- | --- |")
    ratios = []
    for seed in SEEDS:
        pairs = draw(train, given.pairs_kept, seed)
        few, more = (rsum(encoders, one, pairs, val, seed) for one in (supervised, semi_supervised))
        ratios.append(more / few)
        print(f"| {seed} | {few:.1f} | {more:.1f} | {more / few:.2f} |", flush=True)
    print(f"\nratio: mean {np.mean(ratios):.3f}, least {min(ratios):.3f}")


def draw(pairs: PairSet, count: int, seed: int) -> PairSet:
    """Return the same rows with only some of the links, each of another image."""
    random = np.random.default_rng(seed)
    shuffled = pairs.links[random.permutation(len(pairs.links))]
    _, firsts = np.unique(shuffled[:, 0], return_index=True)
    kept = shuffled[random.permutation(firsts)[:count]]
    return PairSet(pairs.vectors, kept, pairs.languages)


def best(
    encoders: Mapping[Modality, Encoder],
    candidates: Sequence[Candidate],
    drawn: Sequence[PairSet],
    val: PairSet,
) -> Candidate:
    """Return the candidate with the highest mean rsum over the draws."""
    means = []
    for candidate in candidates:
        sums = [rsum(encoders, candidate, pairs, val, 0) for pairs in drawn]
        means.append(float(np.mean(sums)))
        print(f"{candidate}: {means[-1]:.1f}", flush=True)
    return candidates[int(np.argmax(means))]


def rsum(
    encoders: Mapping[Modality, Encoder],
    candidate: Candidate,
    pairs: PairSet,
    val: PairSet,
    seed: int,
) -> float:
    """Fit on a draw, and return rsum on held-out pairs."""
    name, options = candidate
    method = fitted_method(name)
    aligner = method(encoders, **options, hubness=_HUBNESS)
    learned = pairs if method.learns_from_unpaired else pairs.of_links(pairs.links)
    aligner.fit(learned, settings=FitSettings(seed))
    return aligner.evaluate(val).rsum


if __name__ == "__main__":
    main()
