"""Products as vectors: their texts and pictures, encoded and aligned by the core."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint_recommendation.histories import Floats
from tiepoint_recommendation.rankers.base import ItemSpace
from tiepoint_recommendation.types import Product

if TYPE_CHECKING:
    from tiepoint.alignment.base import Aligner
    from tiepoint.assembly import Assembly
    from tiepoint.config.models import Deployment
    from tiepoint.encoders.base import Encoder
    from tiepoint.encoders.cache import EmbeddingCache

TEXT, IMAGE, FUSED = "text", "image", "fused"
_MODALITIES = (TEXT, IMAGE)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a product that could not be encoded.

    Attributes:
        product: Its id.
        reason: Why, in one line.
    """

    product: str
    reason: str


class ProductEncoder:
    """Encodes products by the encoders and the alignment of a deployment.

    Nothing is loaded before vectors are needed that the cache does not have.

    Args:
        deployment: Its alignment says which encoders take `text` and `image`.
        folder: Of the store; encoded parts are kept there, so that no fit encodes twice.
    """

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        self.folder = folder
        self._assembly: Assembly | None = None
        self._cache: EmbeddingCache | None = None

    def __enter__(self) -> ProductEncoder:
        from tiepoint.encoders.cache import EmbeddingCache

        folder = self.folder / "embeddings"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._cache = EmbeddingCache(folder)
        return self

    def __exit__(self, *_: object) -> None:
        if self._cache is not None:
            self._cache.close()

    def vectors(
        self,
        products: Sequence[Product],
        progress: Callable[[int, int | None], None] | None = None,
    ) -> tuple[dict[str, Floats], list[Unreadable]]:
        """Return the vectors of products by name: `text`, `image`, and `fused` in joint space.

        Args:
            products: n of them.
            progress: Called with the parts done and their number.

        Returns:
            (n, d) float32 unit vectors by name, rows of zeros where a product lacks that part
            or it could not be read; and what could not be read. A modality that no product
            has is left out.
        """
        found: dict[str, Floats] = {}
        joint: list[Floats] = []
        unreadable: list[Unreadable] = []
        parts = {
            TEXT: {i: one.text for i, one in enumerate(products) if one.text},
            IMAGE: {i: one.image for i, one in enumerate(products) if one.image},
        }
        total = sum(len(some) for some in parts.values())
        before = 0
        for modality in _MODALITIES:
            some = parts[modality]
            aligned = self._encoder(modality) if some else None
            if aligned is None:
                continue
            own, shared, failed = self._encoded(aligned, modality, some, progress, before, total)
            rows = np.array(list(some), np.intp)[~failed.mask]
            if len(rows):
                found[modality] = _placed(own, rows, len(products))
                joint.append(_placed(shared, rows, len(products)))
            unreadable += [
                Unreadable(products[list(some)[at]].id, reason) for at, reason in failed.reasons
            ]
            before += len(some)
        if joint:
            together = np.sum(joint, axis=0)
            lengths = np.linalg.norm(together, axis=1, keepdims=True)
            found[FUSED] = (together / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        return found, unreadable

    def _encoder(self, modality: str) -> tuple[Encoder, str, Aligner] | None:
        """Return the encoder of a modality, the space that it is aligned in, and the aligner."""
        from tiepoint.assembly import Assembly
        from tiepoint.routes import aligned_encoder

        if self._assembly is None:
            self._assembly = Assembly(self.deployment)
        aligner = self._assembly.aligner
        if aligner is None:
            return None
        found = aligned_encoder(aligner, modality, self._assembly.encoders)
        return None if found is None else (*found, aligner)

    def _encoded(
        self,
        aligned: tuple[Encoder, str, Aligner],
        modality: str,
        parts: dict[int, str],
        progress: Callable[[int, int | None], None] | None,
        before: int,
        total: int,
    ) -> tuple[Floats, Floats, _Failed]:
        from tiepoint.encoders.pipeline import encode_parts

        encoder, space, aligner = aligned
        given = list(parts.values())
        report = None if progress is None else (lambda done: progress(before + done, total))
        encoded = encode_parts(encoder, given, modality, self._cache, progress=report)
        mask = np.zeros(len(given), bool)
        mask[list(encoded.errors)] = True
        own = encoded.vectors[~mask]
        shared = aligner.transform(space, own) if len(own) else own
        reasons = [(at, str(error)) for at, error in sorted(encoded.errors.items())]
        return own, shared, _Failed(mask, reasons)


@dataclass(frozen=True, slots=True)
class _Failed:
    mask: NDArray[np.bool_]
    reasons: list[tuple[int, str]]


def _placed(vectors: Floats, rows: NDArray[np.intp], n: int) -> Floats:
    placed = np.zeros((n, vectors.shape[1]), np.float32)
    placed[rows] = vectors
    return placed


def item_space(
    products: Sequence[Product],
    vectors: dict[str, Floats],
    acted_on: Sequence[str],
    gone: Collection[str] = frozenset(),
) -> ItemSpace:
    """Return the item space of a catalogue and of further items that events tell of.

    Args:
        products: The catalogue; without one, all items are offered that have not left it.
        vectors: (products, d) by name.
        acted_on: Ids of items with events.
        gone: Ids of those that left the catalogue.
    """
    known = {product.id for product in products}
    others = sorted(set(acted_on) - known)
    offered = [not products and id_ not in gone for id_ in others]
    n = len(products) + len(others)
    numbers: dict[str, int] = {}
    categories = [
        numbers.setdefault(one.category, len(numbers)) if one.category else -1 for one in products
    ]
    added: list[float] = [np.nan if one.added_s is None else one.added_s for one in products]
    return ItemSpace(
        (*(one.id for one in products), *others),
        {name: _placed(some, np.arange(len(products)), n) for name, some in vectors.items()},
        groups(vectors.get(IMAGE), products, n),
        np.array([*categories, *[-1] * len(others)], np.int32),
        np.array([*added, *[np.nan] * len(others)], np.float64),
        np.array([*[True] * len(products), *offered], bool),
    )


_SAME_PICTURE = 0.98


def groups(images: Floats | None, products: Sequence[Product], n: int) -> NDArray[np.int32]:
    """Return (n,) int32: the same number for variants and near-duplicates of one product.

    Products are variants if their metadata name the same `group`, or if both have the same
    title and category, or the same title and all but the same picture.

    Args:
        images: (products, d) unit vectors, or None.
        products: The catalogue, which comes first among the items.
        n: The number of all items.
    """
    parents = list(range(n))

    def root(one: int) -> int:
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = parents[one]
        return one

    firsts: dict[tuple[str, ...], int] = {}
    for number, product in enumerate(products):
        keys: list[tuple[str, ...]] = []
        if product.metadata.get("group"):
            keys.append(("group", str(product.metadata["group"])))
        title = " ".join(product.title.casefold().split())
        if title and product.category:
            keys.append(("title", title, product.category))
        for key in keys:
            parents[root(number)] = root(firsts.setdefault(key, number))
        if title and images is not None and images[number].any():
            first = firsts.setdefault(("look", title), number)
            if float(images[first] @ images[number]) >= _SAME_PICTURE:
                parents[root(number)] = root(first)
    return np.array([root(number) for number in range(n)], np.int32)


def deployment_of(config: Path | None, folder: Path) -> Deployment:
    """Return the deployment of a file, or the embedded default.

    Raises:
        ConfigError: The file is wrong.
    """
    if config is None:
        from tiepoint.embedded import embedded_deployment

        return embedded_deployment(folder / "collection")
    from tiepoint.config.loader import load

    return load(config)


def vectors_state(space: ItemSpace) -> dict[str, NDArray[Any]]:
    """Return an item space's arrays by name, for `saving`."""
    return {
        **{f"vectors.{name}": array for name, array in space.vectors.items()},
        "groups": space.groups,
        "categories": space.categories,
        "added_s": space.added_s,
        "offered": space.offered,
    }
