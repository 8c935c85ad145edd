"""Sentences and pictures as vectors, and how near each item is to them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from tiepoint.errors import QueryError
from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.live.shelf import Shelf

if TYPE_CHECKING:
    from tiepoint.assembly import Assembly
    from tiepoint.config.models import Deployment

_NOWHERE = -5.0


class QueryEncoder:
    """Encodes what is asked as the products were: by a deployment's encoders and alignment.

    Args:
        deployment: The one that the products were encoded with.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._assembly: Assembly | None = None
        self._lock = Lock()

    def encode(self, modality: str, part: Any) -> tuple[Floats, Floats]:
        """Return the (d,) vector of a part in its encoder's space, and in the joint space.

        Args:
            modality: `text` or `image`.
            part: A sentence; or a picture as a path, bytes, or PIL image.

        Raises:
            QueryError: The deployment does not align this modality.
            DecodeError: The part cannot be read.
        """
        from tiepoint.assembly import Assembly
        from tiepoint.routes import aligned_encoder

        with self._lock:
            if self._assembly is None:
                self._assembly = Assembly(self.deployment)
        aligner = self._assembly.aligner
        found = None
        if aligner is not None:
            found = aligned_encoder(aligner, modality, self._assembly.encoders)
        if aligner is None or found is None:
            raise QueryError(
                f"the deployment aligns no {modality}", hint="Name its encoder under `alignment`."
            )
        encoder, space = found
        own = encoder.encode([part], modality)
        return own[0], aligner.transform(space, own)[0]


def nearness(shelf: Shelf, modality: str, own: Floats, joint: Floats) -> Floats:
    """Return (n,) float32: how near items are to a query, standardised over the items.

    The mean of two cosines, each standardised: with an item's own part of the same modality,
    and with all of it in the joint space; of one where an item has no other.

    Args:
        shelf: The items.
        modality: `text` or `image`.
        own: (d,) the query in its encoder's space.
        joint: (d_joint,) the query in the joint space.

    Raises:
        QueryError: No item has a vector that the query can be compared with.
    """
    total = np.zeros(len(shelf), np.float32)
    fields = np.zeros(len(shelf), np.float32)
    for name, query in ((modality, own), ("fused", joint)):
        vectors = shelf.model.space.vectors.get(name)
        if vectors is None or vectors.shape[1] != len(query):
            continue
        present = vectors.any(axis=1)
        if not present.any():
            continue
        cosines = vectors @ query
        mean, deviation = cosines[present].mean(), cosines[present].std()
        total += np.where(present, (cosines - mean) / max(float(deviation), 1e-12), 0)
        fields += present
    if not fields.any():
        raise QueryError(
            f"no item can be compared with a query by {modality}",
            hint="Ingest items with texts or images, and fit again.",
        )
    near = np.where(fields > 0, total / np.maximum(fields, 1), _NOWHERE)
    return np.asarray(near, np.float32)
