"""What `tiepoint align inspect` finds out about a joint space on held-out pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.evaluation.geometry import Geometry, geometry
from tiepoint.evaluation.retrieval import CUTOFFS, Retrieval, evaluate
from tiepoint.evaluation.significance import Interval, rsum_interval

CONFUSIONS = 12


@dataclass(frozen=True, slots=True)
class Confusion:
    """A text that finds a wrong image far before its own.

    Attributes:
        text: Row of the text.
        found: Row of the image that it finds first.
        right: Row of its own best image.
        rank: 0-based rank of that one.
        margin: By how much the wrong one is more similar.
    """

    text: int
    found: int
    right: int
    rank: int
    margin: float


@dataclass(frozen=True)
class Inspection:
    """The findings.

    Attributes:
        retrieval: Ranks in both directions.
        interval: rsum with its 95 % interval.
        geometry: Gap, hubs, alignment, uniformity.
        calibration: Figures of `Reliability` by route; empty where nothing could be calibrated.
        class_recall: R@1, R@5, R@10 of the texts by class of their image, with their number.
        confusions: The worst ones, the largest margin first.
    """

    retrieval: Retrieval
    interval: Interval
    geometry: Geometry
    calibration: Mapping[str, Any] = field(default_factory=dict)
    class_recall: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    confusions: tuple[Confusion, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the findings as plain data, in the documented shape of `--json`."""
        return {
            "retrieval": self.retrieval.as_dict(),
            "rsum_interval": [self.interval.low, self.interval.high],
            "geometry": self.geometry.as_dict(),
            "calibration": dict(self.calibration),
            "class_recall": {name: dict(figures) for name, figures in self.class_recall.items()},
            "confusions": [asdict(confusion) for confusion in self.confusions],
        }


def inspect_space(
    images: Vectors,
    texts: Vectors,
    links: NDArray[np.int64],
    calibration: Mapping[str, Any],
    labels: tuple[str, ...] = (),
) -> Inspection:
    """Look into a joint space.

    Args:
        images: (n, d) float32 joint vectors.
        texts: (m, d) float32 joint vectors.
        links: (n_links, 2) int64, which rows belong together; every row has one.
        calibration: Reliability by route.
        labels: The class of each image; empty if there are none.

    Raises:
        InputError: A row without a partner.
    """
    retrieval = evaluate(images, texts, links)
    return Inspection(
        retrieval,
        rsum_interval(retrieval, links),
        geometry(images, texts, links),
        calibration,
        _class_recall(retrieval.t2i_rank, links, labels),
        _confusions(images, texts, links, retrieval.t2i_rank),
    )


def _class_recall(
    ranks: NDArray[np.int64], links: NDArray[np.int64], labels: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    if not any(labels):
        return {}
    image_of = np.zeros(len(ranks), np.int64)
    image_of[links[::-1, 1]] = links[::-1, 0]
    of_text = np.array(labels)[image_of]
    found = {}
    for label in sorted(set(labels) - {""}):
        own = ranks[of_text == label]
        if len(own):
            found[label] = {f"R@{k}": float(100 * np.mean(own < k)) for k in CUTOFFS}
            found[label]["texts"] = len(own)
    return found


def _confusions(
    images: Vectors, texts: Vectors, links: NDArray[np.int64], ranks: NDArray[np.int64]
) -> tuple[Confusion, ...]:
    """The texts with the largest margins, one of each image."""
    wrong = np.flatnonzero(ranks > 0)
    if not len(wrong):
        return ()
    partners: dict[int, list[int]] = {}
    for image, text in links.tolist():
        partners.setdefault(text, []).append(image)
    scores = texts[wrong] @ images.T
    found = scores.argmax(1)
    rights = []
    for row, text in enumerate(wrong.tolist()):
        own = partners[text]
        rights.append(own[int(scores[row, own].argmax())])
    right = np.array(rights)
    rows = np.arange(len(wrong))
    margins = scores[rows, found] - scores[rows, right]
    chosen: dict[int, Confusion] = {}
    for row in np.argsort(-margins, kind="stable"):
        if len(chosen) == CONFUSIONS:
            break
        text = int(wrong[row])
        chosen.setdefault(
            int(right[row]),
            Confusion(
                text, int(found[row]), int(right[row]), int(ranks[text]), float(margins[row])
            ),
        )
    return tuple(chosen.values())
