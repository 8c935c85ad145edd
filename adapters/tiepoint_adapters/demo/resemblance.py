"""What pictures look like, in the words of the classifier behind an encoder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiepoint.encoders.base import Encoder

PICTURES_LOOKED_AT = 64
CLASSES = 6


def likeliest_classes(encoder: Encoder, paths: Sequence[str]) -> list[str]:
    """Return the names of the classes that most pictures are nearest to, at most `CLASSES`.

    Args:
        encoder: An image encoder; one without a classifier gives no names.
        paths: The pictures' files, of which some, evenly spread, are looked at.
    """
    classifier = encoder.classifier()
    if classifier is None:
        return []
    step = max(1, -(-len(paths) // PICTURES_LOOKED_AT))
    vectors = encoder.encode(paths[::step])
    best = (vectors @ classifier.weight.T + classifier.bias).argmax(axis=1)
    counted = Counter(classifier.labels[i] for i in best.tolist())
    return [label for label, _ in counted.most_common(CLASSES)]
