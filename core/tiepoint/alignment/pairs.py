"""What aligners learn from: vectors of two modalities, and which of them belong together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.base import Vectors
from tiepoint.errors import InputError
from tiepoint.types import Modality

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class PairSet:
    """Vectors of two modalities with the links between them.

    A link says that a row of the first modality and a row of the second belong together. A row
    may have several links (an image with five captions, a report on two views) or none: rows
    without a link are unpaired data, which semi-supervised methods use and others ignore.

    Attributes:
        vectors: (n, d) float32 by modality, exactly two; their order is that of the links'
            columns. By custom the first is the one that has several partners: image, then text.
        links: (n_links, 2) int64, rows of the first and of the second modality.
        languages: The language of each row of the second modality; empty if it is not known.
        names: What to call each row, by modality, in reports: file names, texts; may be empty.
        views: (n_views, n, d) float32 further vectors of each row, by modality, such as those of
            changed versions of an image; may be empty.

    Raises:
        InputError: Not two modalities, no links, rows that do not exist, or values that are
            not finite.
    """

    vectors: Mapping[Modality, Vectors]
    links: Rows
    languages: tuple[str, ...] = ()
    names: Mapping[Modality, tuple[str, ...]] = field(default_factory=dict)
    views: Mapping[Modality, Vectors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.vectors) != 2:
            raise InputError(
                f"pairs join two modalities, not {len(self.vectors)}", hint="Give two."
            )
        for modality, x in self.vectors.items():
            if x.ndim != 2:
                raise InputError(f"{modality} vectors must have the shape (n, d), not {x.shape}")
            bad = np.flatnonzero(~np.isfinite(x).all(1))
            if len(bad):
                raise InputError(
                    f"{len(bad)} of {len(x)} {modality} vectors hold NaN or infinity, the first"
                    f" in row {bad[0]}",
                    hint="Leave these rows out, or mend the encoder.",
                )
            named = self.names.get(modality)
            if named is not None and len(named) != len(x):
                raise InputError(f"{len(named)} names for {len(x)} {modality} vectors")
            seen = self.views.get(modality)
            if seen is not None and (seen.shape[1:] != x.shape or not np.isfinite(seen).all()):
                raise InputError(f"views of {modality} must be finite, (n_views, *{x.shape})")
        if self.links.ndim != 2 or self.links.shape[1] != 2:
            raise InputError(f"links must have the shape (n, 2), not {self.links.shape}")
        if not len(self.links):
            raise InputError("there are no pairs", hint="Give at least one pair.")
        sizes = [len(x) for x in self.vectors.values()]
        if (self.links < 0).any() or (self.links >= sizes).any():
            raise InputError("a link names a row that does not exist")
        if self.languages and len(self.languages) != sizes[1]:
            raise InputError(f"{len(self.languages)} languages for {sizes[1]} rows")

    @property
    def modalities(self) -> tuple[Modality, Modality]:
        """The two modalities, in the order of the links' columns."""
        first, second = self.vectors
        return first, second

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the vectors, the links and the views, in hexadecimal."""
        content = hashlib.sha256()
        for modality, x in self.vectors.items():
            content.update(f"{modality} {x.shape}\n".encode())
            content.update(np.ascontiguousarray(x, np.float32).data)
        content.update(np.ascontiguousarray(self.links, np.int64).data)
        for modality, seen in self.views.items():
            content.update(f"views of {modality} {seen.shape}\n".encode())
            content.update(np.ascontiguousarray(seen, np.float32).data)
        return content.hexdigest()

    def linked(self) -> tuple[Vectors, Vectors]:
        """Return the vectors of both modalities, one row per link: (n_links, d) each."""
        first, second = self.vectors.values()
        return first[self.links[:, 0]], second[self.links[:, 1]]

    def unlinked(self) -> tuple[Rows, Rows]:
        """Return the rows of each modality that no link names."""
        first, second = (
            np.setdiff1d(np.arange(len(x)), self.links[:, column])
            for column, x in enumerate(self.vectors.values())
        )
        return first, second

    def of_language(self, *languages: str) -> PairSet:
        """Return the pairs whose second row is in one of the languages, with no unpaired rows.

        Raises:
            InputError: There are none.
        """
        known = np.array(self.languages or [""] * len(self.vectors[self.modalities[1]]))
        kept = self.links[np.isin(known[self.links[:, 1]], languages)]
        if not len(kept):
            there = ", ".join(sorted(set(self.languages))) or "not said"
            raise InputError(
                f"no pair is in {' or '.join(languages)}", hint=f"The languages are: {there}."
            )
        return self.of_links(kept)

    def galleries(self) -> list[PairSet]:
        """Return the pairs of each language, as a gallery holds the texts of one language.

        Unpaired rows are left out.
        """
        names = sorted(set(self.languages))
        if len(names) < 2:
            return [self.of_links(self.links)]
        return [self.of_language(name) for name in names]

    def of_first(self, rows: Sequence[int] | Rows) -> PairSet:
        """Return the pairs of some rows of the first modality, with no unpaired rows."""
        return self.of_links(self.links[np.isin(self.links[:, 0], np.asarray(rows))])

    def of_links(self, links: Rows) -> PairSet:
        """Return some of the links with only the rows that they name, renumbered in order."""
        kept, columns = [], []
        for column in (0, 1):
            rows, renumbered = np.unique(links[:, column], return_inverse=True)
            kept.append(rows)
            columns.append(renumbered.reshape(-1))
        return PairSet(
            {m: x[rows] for (m, x), rows in zip(self.vectors.items(), kept, strict=True)},
            np.stack(columns, 1).astype(np.int64),
            tuple(self.languages[row] for row in kept[1]) if self.languages else (),
            {
                m: tuple(self.names[m][row] for row in rows)
                for m, rows in zip(self.modalities, kept, strict=True)
                if m in self.names
            },
            {
                m: self.views[m][:, rows]
                for m, rows in zip(self.modalities, kept, strict=True)
                if m in self.views
            },
        )
