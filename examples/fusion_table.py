"""What learned fusion is worth: each route alone, reciprocal ranks, and the fitted fusions.

    python examples/fusion_table.py pairs.csv --root DIR --lang en --json fusion.json

Captions of the validation images ask for their image by three routes. `vector->image` is an
aligned vector of the picture. `words->predicted` is BM25 over words that are predicted from the
picture alone: the captions of the most similar training pictures, and the names of its likeliest
classes. `vector->described` compares the caption's own text vector with the mean of those training
captions. No caption of a picture takes part in what the picture is found by.

The fusions learn from the training images only, and stop where a quarter of them says so. An
aligner knows the pairs that it was fitted on too well, so each quarter of the training images is a
gallery of its own, whose aligner and similar pictures come from the other three quarters. The
validation images then come with an aligner that was fitted on all training images.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fit_default_aligner import RECIPE

from tiepoint import Host, Item
from tiepoint.alignment.contrastive import ContrastiveAligner
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.pair_files import read_pairs
from tiepoint.alignment.pairs import PairSet
from tiepoint.cli.align.features import encoded
from tiepoint.cli.align.options import PRESETS
from tiepoint.cli.align.subjects import chosen_encoders
from tiepoint.config.models import Deployment
from tiepoint.encoders.base import Classifier, Encoder, Vectors
from tiepoint.fusion.attention import AttentionFusion
from tiepoint.fusion.base import Fusion
from tiepoint.fusion.calibrating import calibrate, cross_validated
from tiepoint.fusion.collecting import ExampleCollector
from tiepoint.fusion.evaluating import difference, figures, fused_scores, ranks_by_method
from tiepoint.fusion.examples import FusionExamples, wanted_items
from tiepoint.fusion.fitted import FittedFusion
from tiepoint.fusion.learned_weights import LearnedWeights
from tiepoint.fusion.match_head import MatchHeadFusion
from tiepoint.fusion.max import MaxFusion
from tiepoint.types import IMAGE, TEXT

FOLDS = 4
NEIGHBOURS = 20
CLASSES = 5
CAPTIONS = 2
"""Captions of each training image that are asked."""
SEED = 0
COLUMNS = ("R@1", "R@5", "R@10", "rsum")


@dataclass(frozen=True)
class Gallery:
    """Images to find, and the captions that ask for them.

    Attributes:
        items: The images, with what they are found by.
        queries: Each caption with its vectors by field, and the id of its image.
    """

    items: list[Item]
    queries: list[tuple[str, dict[str, Vectors], str]]


def main() -> None:
    """Fit, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path, help="CSV: image,text,lang,split")
    parser.add_argument("--root", type=Path, help="folder of the images")
    parser.add_argument("--lang", default="en", help="language of the captions that ask")
    parser.add_argument("--preset", choices=PRESETS, default="fast")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--out", type=Path, help="keep the fitted fusions here")
    given = parser.parse_args()
    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    encoders = chosen_encoders(None, given.preset).encoders
    train, val = (
        encoded(file.select(split), root, encoders, True, split).pairs for split in ("train", "val")
    )
    with tempfile.TemporaryDirectory() as folder:
        result = study(train, val, encoders, given.lang, given.out or Path(folder))
    print_table(result)
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def study(
    train: PairSet, val: PairSet, encoders: Mapping[str, Encoder], language: str, out: Path
) -> dict[str, Any]:
    """Fit the fusions on the training images, and measure them on the validation images."""
    whole = fitted_aligner(train, encoders)
    classifier = encoders[IMAGE].classifier()
    folds = np.random.default_rng(SEED).permutation(len(train.vectors[IMAGE])) % FOLDS
    galleries = []
    for fold in range(FOLDS):
        others, these = (
            train.of_first(np.flatnonzero(side)) for side in (folds != fold, folds == fold)
        )
        aligner = fitted_aligner(others, encoders)
        rotation = rotation_between(aligner, whole, others.vectors[TEXT])
        galleries.append(
            gallery(these, others, aligner, rotation, classifier, language, captions=CAPTIONS)
        )
        print(f"fold {fold + 1} of {FOLDS} is ready", flush=True)
    rotation = np.eye(whole.dim, dtype=np.float32)
    tested = gallery(val, train, whole, rotation, classifier, language)
    examples, stopping, held_out = asked(galleries[:-1]), asked(galleries[-1:]), asked([tested])
    fusions: list[FittedFusion] = [
        LearnedWeights(),
        AttentionFusion(),
        MatchHeadFusion(),
    ]
    for fusion in fusions:
        report = fusion.fit(examples, stopping, FitSettings(SEED))
        print(f"{fusion.method}: {report.queries} queries in {report.seconds:.0f} s", flush=True)
    return measured(fusions, held_out, tested, out)


def measured(
    fusions: Sequence[FittedFusion], held_out: FusionExamples, tested: Gallery, out: Path
) -> dict[str, Any]:
    """Return the figures of every route and fusion, and what the differences are worth."""
    named: dict[str, Fusion] = {"maximum": MaxFusion(), **{f.method: f for f in fusions}}
    ranks = ranks_by_method(named, held_out)
    table = {name: figures(each) for name, each in ranks.items()}
    routes = list(held_out.routes)
    best = max(routes, key=lambda route: table[route]["rsum"])
    wanted = wanted_items(held_out)
    comparisons = {
        f"{first} - {second}": difference(ranks[first], ranks[second], wanted)
        for first, second in (
            ("learned-weights", best),
            ("learned-weights", "rrf"),
            ("learned-weights", "equal weights"),
            ("attention", "learned-weights"),
            ("match-head", "learned-weights"),
        )
    }
    calibrations = {}
    for fusion in fusions:
        calibrations[fusion.method] = cross_validated(fusion, held_out)
        fusion.with_card(calibration=calibrate(fusion, held_out), metrics=table)
        fusion.save(out / fusion.method)
    agreement = {
        fusion.method: found_as_measured(tested, out / fusion.method, fusion, held_out)
        for fusion in fusions
    }
    return {
        "queries": len(held_out),
        "gallery": held_out.gallery,
        "best_route": best,
        "figures": table,
        "comparisons": comparisons,
        "calibration": calibrations,
        "same_first_hit_by_host_search": agreement,
    }


def fitted_aligner(pairs: PairSet, encoders: Mapping[str, Encoder]) -> ContrastiveAligner:
    """Return an aligner of the shipped default's recipe."""
    aligner = ContrastiveAligner(dict(encoders), **RECIPE)
    aligner.fit(pairs, settings=FitSettings(SEED))
    return aligner


def rotation_between(
    first: ContrastiveAligner, second: ContrastiveAligner, texts: Vectors
) -> Vectors:
    """Return the rotation that brings one joint space nearest to another (Schoenemann, 1966).

    It changes no similarity; it lets a match head see vectors of several aligners as of one.
    """
    source, target = (aligner.transform(TEXT, texts) for aligner in (first, second))
    left, _, right = np.linalg.svd(source.T.astype(np.float64) @ target)
    return np.asarray(left @ right, np.float32)


def gallery(
    pairs: PairSet,
    teachers: PairSet,
    aligner: ContrastiveAligner,
    rotation: Vectors,
    classifier: Classifier | None,
    language: str,
    captions: int | None = None,
) -> Gallery:
    """Return images with what they are found by, which the teachers' captions alone tell.

    Args:
        pairs: The images to find, with the captions that ask.
        teachers: Other pairs, on which the aligner was fitted.
        aligner: Brings both into one space.
        rotation: Of its joint space.
        classifier: Of the image encoder.
        language: Of the captions that ask, and of those that describe.
        captions: How many of an image ask; all if not given.
    """
    told = teachers.of_language(language)
    joint = aligner.transform(IMAGE, pairs.vectors[IMAGE])
    nearest, weights = neighbours(joint, aligner.transform(IMAGE, told.vectors[IMAGE]))
    by_image: list[list[int]] = [[] for _ in told.vectors[IMAGE]]
    for image, text in told.links.tolist():
        by_image[image].append(text)
    means = np.stack([told.vectors[TEXT][rows].mean(0) for rows in by_image])
    described = np.einsum("nk,nkd->nd", weights, means[nearest])
    names = class_names(pairs.vectors[IMAGE], classifier)
    items = []
    for row, name in enumerate(pairs.names[IMAGE]):
        words = [told.names[TEXT][text] for image in nearest[row] for text in by_image[image]]
        parts = {
            "image": joint[row] @ rotation,
            "described": described[row],
            "predicted": " ".join([*words, *names[row]]),
        }
        items.append(Item(id=name, parts=parts))
    asking = pairs.of_language(language)
    texts = asking.vectors[TEXT]
    own = aligner.transform(TEXT, texts) @ rotation
    taken: dict[int, int] = {}
    queries = []
    for image, text in asking.links.tolist():
        taken[image] = taken.get(image, 0) + 1
        if captions is None or taken[image] <= captions:
            vectors = {"image": own[text], "described": texts[text]}
            queries.append((asking.names[TEXT][text], vectors, asking.names[IMAGE][image]))
    return Gallery(items, queries)


def neighbours(queries: Vectors, teachers: Vectors) -> tuple[np.ndarray[Any, Any], Vectors]:
    """Return (n, k) the most similar teachers of each picture, and their weights (sum 1)."""
    similar = queries @ teachers.T
    nearest = np.argsort(-similar, axis=1)[:, :NEIGHBOURS]
    closeness = np.take_along_axis(similar, nearest, 1)
    weights = np.exp((closeness - closeness.max(1, keepdims=True)) / 0.1)
    return nearest, np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def class_names(images: Vectors, classifier: Classifier | None) -> list[list[str]]:
    """Return the names of each picture's likeliest classes; none without a classifier."""
    if classifier is None:
        return [[] for _ in images]
    logits = images @ classifier.weight.T + classifier.bias
    likeliest = np.argsort(-logits, axis=1)[:, :CLASSES]
    return [[classifier.labels[label] for label in row] for row in likeliest.tolist()]


@contextmanager
def filled_host(given: Gallery, fusion: Mapping[str, Any]) -> Iterator[Host]:
    """Open a host whose collection holds a gallery."""
    vectors = given.queries[0][1]
    fields: dict[str, Any] = {name: {"dimensions": len(v)} for name, v in vectors.items()}
    fields["predicted"] = {"words": True}
    with tempfile.TemporaryDirectory() as folder:
        deployment = {
            "version": 1,
            "store": {"uri": folder},
            "collections": {"items": {"fields": fields}},
            "fusion": dict(fusion),
        }
        with Host(Deployment.model_validate(deployment)) as host:
            host.add(given.items)
            yield host


def asked(galleries: Sequence[Gallery]) -> FusionExamples:
    """Return what the routes say when every gallery is asked by its captions."""
    collector: ExampleCollector | None = None
    for given in galleries:
        with filled_host(given, {"type": "weighted"}) as host:
            search = host.collection_search()
            if collector is None:
                names = search.layout.route_fingerprints()
                collector = ExampleCollector(names, len(given.items), vectors=True)
            for text, vectors, image in given.queries:
                pool, routes = search.candidates_of({TEXT: text}, vectors)
                collector.add(pool, routes, {image})
    assert collector is not None  # noqa: S101 - there is at least one gallery
    return collector.finish()


def found_as_measured(
    tested: Gallery, folder: Path, fusion: FittedFusion, held_out: FusionExamples, count: int = 200
) -> float:
    """Return how often `host.search` with the saved fusion has the first hit that was measured."""
    part = held_out.of(np.arange(count))
    right = part.ranks(fused_scores(fusion, part)) == 0
    with filled_host(tested, {"type": "saved", "path": str(folder)}) as host:
        hits = [
            host.search(text=text, vector=vectors, k=1)[0].id == image
            for text, vectors, image in tested.queries[:count]
        ]
    return float(np.mean(np.array(hits) == right))


def print_table(result: Mapping[str, Any]) -> None:
    """Print the figures as Markdown."""
    print("| by | " + " | ".join((*COLUMNS, "MRR")) + " |")
    print("| --- " * (len(COLUMNS) + 2) + "|")
    for name, each in result["figures"].items():
        cells = [f"{each[column]:.1f}" for column in COLUMNS]
        print(f"| {name} | " + " | ".join([*cells, f"{each['MRR']:.3f}"]) + " |")
    for name, each in result["comparisons"].items():
        print(
            f"{name}: {each['difference']:+.1f} ({each['low']:+.1f} to {each['high']:+.1f}),"
            f" p = {each['p']:.3f}"
        )


if __name__ == "__main__":
    main()
