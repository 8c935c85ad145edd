"""The retrieval protocol through a host: what `align eval` says is what `host.search` finds.

    python examples/host_protocol.py flickr8k/pairs.csv --split val --preset fast

Images and texts go in by `host.add`, and every one of them is asked by `host.search`. The ranks are
compared with those of the aligner's joint vectors, which `tiepoint align eval` computes; ranks
beyond `--depth` count as equal, and so do those that differ because two similarities are the same
but for rounding. Exit code 1 if others differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint import Host, Item
from tiepoint.alignment.pair_files import Pair, read_pairs
from tiepoint.cli.align.features import encoded
from tiepoint.cli.align.options import PRESETS
from tiepoint.cli.align.subjects import subject
from tiepoint.config.models import Deployment
from tiepoint.embedded import embedded_deployment
from tiepoint.evaluation.retrieval import Ranks, Retrieval, ranks_of_scores

ROUNDING = 1e-5
"""How far sums of float32 products may differ between an index and a matrix product."""


def main() -> None:
    """Compare, for each language."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", type=Path, help="CSV: image,text,lang,split")
    parser.add_argument("--root", type=Path, help="folder of the images")
    parser.add_argument("--split", default="val")
    parser.add_argument("--preset", choices=PRESETS, default="fast")
    parser.add_argument("--depth", type=int, default=50)
    given = parser.parse_args()
    file, root = read_pairs(given.pairs), given.root or given.pairs.parent
    languages = sorted({pair.language for pair in file.select(given.split)})
    same = True
    for language in languages:
        lines = file.select(given.split, [language])
        asked = through_host(lines, root, given.preset, given.depth)
        low, high = (by_vectors(lines, root, given.preset, sign * ROUNDING) for sign in (-1, 1))
        differing = sum(
            int(np.count_nonzero((ranks < least) | (ranks > np.minimum(most, given.depth))))
            for ranks, least, most in (
                (asked.i2t_rank, np.minimum(low.i2t_rank, given.depth), high.i2t_rank),
                (asked.t2i_rank, np.minimum(low.t2i_rank, given.depth), high.t2i_rank),
            )
        )
        queries = len(asked.i2t_rank) + len(asked.t2i_rank)
        print(
            f"{language}: rsum by host.search {asked.rsum:.2f}, by joint vectors"
            f" {low.rsum:.2f} to {high.rsum:.2f}; {differing} of {queries} ranks differ",
            flush=True,
        )
        same = same and not differing
    sys.exit(0 if same else 1)


def by_vectors(lines: list[Pair], root: Path, preset: str, margin: float) -> Retrieval:
    """Return the ranks by the joint vectors of the default aligner.

    Args:
        lines: The pairs.
        root: The folder of the images.
        preset: Of the embedded default.
        margin: What is added to the similarity of everything that is wrong.
    """
    found = subject(None, None, preset)
    pairs = encoded(lines, root, found.encoders, True, "joint vectors").pairs
    first, second = (found.aligner.transform(m, x) for m, x in pairs.vectors.items())
    right = np.zeros((len(first), len(second)), bool)
    right[pairs.links[:, 0], pairs.links[:, 1]] = True
    scores = np.where(right, 0, np.float32(margin)) + first @ second.T
    return Retrieval(ranks_of_scores(scores, right), ranks_of_scores(scores.T, right.T))


def through_host(lines: list[Pair], root: Path, preset: str, depth: int) -> Retrieval:
    """Return the ranks that searches give; `depth` where nothing right is among so many hits."""
    images = list(dict.fromkeys(pair.image for pair in lines))
    rows = {image: row for row, image in enumerate(images)}
    partners = np.array([rows[pair.image] for pair in lines])
    with (
        tempfile.TemporaryDirectory(prefix="tiepoint-") as folder,
        Host(_deployment(Path(folder) / "store", preset)) as host,
    ):
        host.add(
            (Item(str(row), image=str(root / image)) for row, image in enumerate(images)),
            collection="pictures",
        )
        host.add(
            (Item(str(row), text=pair.text) for row, pair in enumerate(lines)),
            collection="captions",
        )
        of_texts = [
            _rank(host, "pictures", {"text": pair.text}, {str(partner)}, depth)
            for pair, partner in zip(lines, partners, strict=True)
        ]
        of_images = [
            _rank(
                host,
                "captions",
                {"image": str(root / image)},
                {str(text) for text in np.flatnonzero(partners == row)},
                depth,
            )
            for row, image in enumerate(images)
        ]
    return Retrieval(_array(of_images), _array(of_texts))


def _rank(
    host: Host, collection: str, query: Mapping[str, Any], right: set[str], depth: int
) -> int:
    hits = host.search(**query, k=depth, collection=collection)
    best = next((hit.score for hit in hits if hit.id in right), None)
    if best is None:
        return depth
    return sum(hit.score >= best and hit.id not in right for hit in hits)


def _deployment(store: Path, preset: str) -> Deployment:
    """Return the embedded default with pictures and captions apart, and all of them compared."""
    content = embedded_deployment(store, preset).model_dump(mode="json", exclude_unset=True)
    content["collections"] = {
        "pictures": {"fields": {"image": {"encoder": "photo"}}, "index": {"kind": "exact"}},
        "captions": {"fields": {"text": {"encoder": "words"}}, "index": {"kind": "exact"}},
    }
    return Deployment.model_validate(content)


def _array(ranks: list[int]) -> Ranks:
    return np.array(ranks, np.int64)


if __name__ == "__main__":
    main()
