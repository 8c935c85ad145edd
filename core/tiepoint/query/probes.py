"""From the parts of a query to what each route asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tiepoint.alignment.base import Aligner
from tiepoint.encoders.base import Vectors
from tiepoint.encoders.texts import clean_text
from tiepoint.errors import QueryError
from tiepoint.index.base import VectorField
from tiepoint.probabilities import Calibration
from tiepoint.query.checks import given_vector, given_vectors
from tiepoint.routes import Layout, Route
from tiepoint.types import TEXT, Modality


class Probe(NamedTuple):
    """What one route asks: a unit vector for a vector field.

    Attributes:
        route: Its name.
        field: The vector field.
        vector: (d,) float32.
        calibration: What a similarity means, where that is known.
        own_field: Where the vectors of the items' own encoder are.
    """

    route: str
    field: str
    vector: Vectors
    calibration: Calibration | None = None
    own_field: str = ""


@dataclass(frozen=True, slots=True)
class WordProbe:
    """What a BM25 route asks: words for a text field."""

    route: str
    field: str
    text: str


Encoded = Mapping[tuple[str, Modality], Vectors]
"""(1, d) vectors of a query's parts, by the encoder's fingerprint and the modality; and those of
the joint space, by the fingerprint of the aligner behind that of the encoder."""


def _joint_key(route: Route, aligner: Aligner) -> tuple[str, Modality]:
    return f"{route.encoder.fingerprint} {aligner.fingerprint}", route.space


class QueryReader:
    """Turns query parts into probes of one collection.

    Args:
        layout: The collection's fields and routes.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._fields = {vector.name: vector for vector in layout.schema.vectors}
        # A vector that names no field is for the only one, or for the joint space.
        several = len(self._fields) > 1
        unnamed = layout.joint_fields() if several else self._fields.values()
        self._unnamed = {f"vector->{field.name}": field for field in unnamed}

    def read(
        self, parts: Mapping[Modality, Any], encoded: Encoded | None = None
    ) -> tuple[list[Probe], list[WordProbe]]:
        """Return what the routes of these parts ask; both may be empty.

        Args:
            parts: By modality.
            encoded: The parts' vectors, where some are known already.

        Raises:
            DecodeError: A part that cannot be read.
        """
        return self._encoded(parts, dict(encoded or {})), self._words(parts)

    def encode(self, modality: Modality, parts: Sequence[Any]) -> list[Encoded]:
        """Return the vectors of parts of many queries, each network called once for all.

        Args:
            modality: What the parts are.
            parts: One of each query.

        Raises:
            DecodeError: A part that cannot be read.
        """
        found: dict[tuple[str, Modality], Vectors] = {}
        for route in self.layout.routes.get(modality, ()):
            key = (route.encoder.fingerprint, modality)
            if key not in found:
                found[key] = route.encoder.encode(parts, modality)
            if route.aligner is not None:
                joint = _joint_key(route, route.aligner)
                if joint not in found:
                    found[joint] = route.aligner.transform(route.space, found[key])
        return [
            {key: rows[number : number + 1] for key, rows in found.items()}
            for number in range(len(parts))
        ]

    def _encoded(
        self, parts: Mapping[Modality, Any], known: dict[tuple[str, Modality], Vectors]
    ) -> list[Probe]:
        """Encode each part once per encoder, and bring it into each space once."""
        probes = []
        for modality, part in parts.items():
            for route in self.layout.routes.get(modality, ()):
                key = (route.encoder.fingerprint, modality)
                if key not in known:
                    known[key] = route.encoder.encode([part], modality)
                vector, calibration = known[key], route.calibration(known[key])
                if route.aligner is not None:
                    joint = _joint_key(route, route.aligner)
                    if joint not in known:
                        known[joint] = route.aligner.transform(route.space, vector)
                    vector = known[joint]
                probes.append(
                    Probe(route.name, route.field, vector[0], calibration, route.own_field)
                )
        return probes

    def _words(self, parts: Mapping[Modality, Any]) -> list[WordProbe]:
        if TEXT not in parts or not self.layout.schema.texts:
            return []
        text = clean_text(parts[TEXT])
        return [WordProbe(f"words->{field}", field, text) for field in self.layout.schema.texts]

    def given(self, vectors: Mapping[str, Any] | Vectors) -> list[Probe]:
        """Check given vectors; one without a field is compared with the joint space.

        Raises:
            QueryError: No such field, or no vector of its length.
        """
        if isinstance(vectors, Mapping):
            return [
                Probe(f"vector->{name}", name, given_vector(given, self._field(name)))
                for name, given in vectors.items()
            ]
        return [
            Probe(route, field.name, given_vector(vectors, field))
            for route, field in self._for_unnamed().items()
        ]

    def given_many(self, vectors: Mapping[str, Any] | Vectors) -> tuple[str, Vectors]:
        """Check many vectors for one field; returns its name and the (n, dim) vectors.

        Raises:
            QueryError: No such field or several, or no vectors of its length.
        """
        if isinstance(vectors, Mapping):
            by_field = vectors
        else:
            by_field = {field.name: vectors for field in self._for_unnamed().values()}
        if len(by_field) != 1:
            raise QueryError(
                f"many vectors are for one field, not for {', '.join(by_field) or 'none'}",
                hint="Pass {field: vectors}.",
            )
        [(name, given)] = by_field.items()
        return name, given_vectors(given, self._field(name))

    def _for_unnamed(self) -> Mapping[str, VectorField]:
        """Return the fields that a vector without a field is for, by route."""
        if not self._unnamed:
            raise QueryError(
                "it is not said which field the vector is for",
                hint=f"Pass vector={{field: vector}}; fields: {', '.join(self._fields)}.",
            )
        return self._unnamed

    def _field(self, name: str) -> VectorField:
        field = self._fields.get(name)
        if field is None:
            raise QueryError(
                f"the collection has no vector field {name!r}",
                hint=f"Its vector fields are {', '.join(self._fields) or 'none'}.",
            )
        return field

    def no_route(self, parts: Mapping[Modality, Any]) -> QueryError:
        """Return why these parts ask nothing."""
        if not parts:
            return QueryError("nothing to search for", hint="Give a text, an image or a vector.")
        known = {m for m, routes in self.layout.routes.items() if routes}
        if self.layout.schema.texts:
            known.add(TEXT)
        return QueryError(
            f"no route leads from {' or '.join(parts)} to the collection"
            f" {self.layout.schema.name!r}",
            hint=f"It can be asked by {', '.join(sorted(known)) or 'vector'}.",
        )
