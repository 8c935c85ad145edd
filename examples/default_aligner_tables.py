"""The tables of `docs/default-aligner.md`, on the file of pairs that the aligner was fitted on.

    python examples/default_aligner_tables.py flickr8k/pairs.csv

What it finds on the validation split; a paired bootstrap over images against a plain recipe with
the same encoders; and how reliable its probabilities are. Everything it fits is fitted on `train`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tiepoint.alignment.calibrating import reliabilities
from tiepoint.alignment.default import DefaultAligner
from tiepoint.alignment.ensemble import EnsembleAligner
from tiepoint.alignment.pair_files import PairFile, read_pairs
from tiepoint.alignment.pairs import PairSet
from tiepoint.cli.align.features import encoded
from tiepoint.cli.align.options import PRESETS
from tiepoint.cli.align.subjects import ChosenEncoders, chosen_encoders
from tiepoint.evaluation.significance import compare, rsum_interval

_INPUTS = {"standardise": True}
PLAIN: dict[str, Any] = {
    "members": [
        {
            "method": "contrastive",
            "options": {
                "inputs": _INPUTS,
                "canonical": None,
                "components": 640,
                "dim": 512,
                "epochs": 4,  # 20 times an image, with another of its captions each time
                "learning_rate": 2e-3,
                "weight_decay": 0.1,
                "dropout": 0.2,
            },
        },
        {"method": "cca", "weight": 0.4, "options": {"inputs": _INPUTS}},
    ],
    "hubness": {"kind": "inverted_softmax", "beta": 10.0, "bank": 6000},
}
"""InfoNCE heads, canonical correlation analysis and inverted softmax, for one language each."""
GALLERIES = (100, 1000)
LANGUAGES = ("en", "zh")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path, help="CSV: image,text,lang,split")
    parser.add_argument("--root", type=Path, help="folder of the images")
    parser.add_argument("--preset", choices=PRESETS, action="append")
    parser.add_argument("--no-plain", action="store_true", help="leave out the slow comparison")
    given = parser.parse_args()
    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    presets = given.preset or PRESETS
    held_out = {
        (preset, language): _pairs(file, root, chosen_encoders(None, preset), "val", language)
        for preset in presets
        for language in LANGUAGES
    }
    shipped = {preset: DefaultAligner(chosen_encoders(None, preset).encoders) for preset in presets}
    print("| preset | language | image to text | text to image | rsum | 95 % |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (preset, language), val in held_out.items():
        print(_figures(preset, language, shipped[preset], val), flush=True)
    print(
        "\n| preset | language | route" + "".join(f" | ECE, skill ({g})" for g in GALLERIES) + " |"
    )
    print("| --- | --- | ---" + " | ---" * len(GALLERIES) + " |")
    for (preset, language), val in held_out.items():
        for line in _reliability(preset, language, shipped[preset], val):
            print(line, flush=True)
    if given.no_plain:
        return
    print("\n| preset | language | plain recipe | shipped | difference | 95 % | p |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (preset, language), val in held_out.items():
        train = _pairs(file, root, chosen_encoders(None, preset), "train", language)
        print(_comparison(preset, language, shipped[preset], train, val), flush=True)


def _pairs(
    file: PairFile, root: Path, chosen: ChosenEncoders, split: str, language: str
) -> PairSet:
    lines = file.select(split, [language])
    return encoded(lines, root, chosen.encoders, True, f"{split}, {language}").pairs


def _figures(preset: str, language: str, aligner: DefaultAligner, val: PairSet) -> str:
    found = aligner.fitted.evaluate(val)
    interval = rsum_interval(found, val.links)
    recalls = (
        " / ".join(f"{value:.1f}" for value in found.as_dict()[way].values())
        for way in ("i2t", "t2i")
    )
    cells = (preset, language, *recalls, f"{found.rsum:.1f}")
    return f"| {' | '.join(cells)} | {interval.low:.0f} to {interval.high:.0f} |"


def _reliability(preset: str, language: str, aligner: DefaultAligner, val: PairSet) -> list[str]:
    by_size = [reliabilities(aligner, val, size) for size in GALLERIES]
    lines = []
    for route in by_size[0]:
        cells = [f"{one[route]['ece']:.3f}, {one[route]['brier_skill']:.2f}" for one in by_size]
        lines.append(f"| {preset} | {language} | {route} | {' | '.join(cells)} |")
    return lines


def _comparison(
    preset: str, language: str, aligner: DefaultAligner, train: PairSet, val: PairSet
) -> str:
    plain = EnsembleAligner(aligner.encoders, **PLAIN)
    plain.fit(train)
    ours, theirs = aligner.fitted.evaluate(val), plain.evaluate(val)
    found = compare(ours, theirs, val.links)
    more = found.difference
    return (
        f"| {preset} | {language} | {theirs.rsum:.1f} | {ours.rsum:.1f} | {more.value:+.1f}"
        f" | {more.low:+.1f} to {more.high:+.1f} | {found.p_value:.3f} |"
    )


if __name__ == "__main__":
    main()
