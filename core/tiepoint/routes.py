"""Which vectors a collection stores, and which ways lead from a query to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tiepoint.alignment.base import Aligner
from tiepoint.config.collections import CollectionSection, FieldSection, Metric, WordsSection
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import ConfigError
from tiepoint.index.base import CollectionSchema, TextAnalysis, VectorField
from tiepoint.probabilities import Calibration
from tiepoint.types import TEXT, Modality

JOINT_SUFFIX = "_joint"
GIVEN = "given"
"""The fingerprint of vectors that the user brings."""
WORDS = "bm25"
"""The fingerprint of word routes."""


def given_field(name: str, dim: int, metric: Metric) -> VectorField:
    """Return a field of given vectors; the fingerprint says whether their length was kept."""
    return VectorField(name, dim, GIVEN if metric == "cosine" else f"{GIVEN}, {metric}", metric)


@dataclass(frozen=True, slots=True)
class Route:
    """One way of matching: a query modality against a vector field, by cosine.

    Attributes:
        name: `query->field`, such as `text->image`.
        query: The query's modality.
        field: The vector field that it is compared with.
        encoder: What encodes the query.
        aligner: What brings the query into the field's space; None where it is there already.
        space: The modality whose vectors the query's compare with: its own, but that of
            pictures for a video whose frames are averaged.
        items: The modality of the field's items, where the aligner was calibrated for them.
        own_field: The vector field in the space of the items' own encoder.
    """

    name: str
    query: Modality
    field: str
    encoder: Encoder
    aligner: Aligner | None
    space: Modality
    items: Modality | None = None
    own_field: str = ""

    def calibration(self, own: Vectors) -> Calibration | None:
        """Return what a similarity means, by the query's (1, d) vector of the encoder."""
        if self.aligner is None or self.items is None:
            return None
        asked = self.aligner.languages(self.space)
        language = asked.names[int(asked(own)[0])] if asked is not None else ""
        of_all = self.aligner.match_probability(self.query, self.items, language)
        if of_all is None:
            return None
        told = self.aligner.languages(self.items)
        by_language = {
            name: probability
            for name in (told.names if told is not None else ())
            if (probability := self.aligner.match_probability(self.query, self.items, name))
        }
        return Calibration(of_all, told, by_language)


@dataclass(frozen=True, slots=True)
class PartField:
    """A field of a collection with what makes its vectors.

    Attributes:
        name: The field's name; also that of the vector field in the encoder's own space.
        modality: The modality of its parts.
        encoder: None where vectors are given, or where there are only words.
        dimensions: Length of given vectors.
        joint: Name of the vector field in the joint space, where it is stored apart.
        space: The modality that the aligner takes its vectors for; None if it takes them not.
        words: How its text is analysed for BM25; None where it is not.
        metric: How given vectors are compared.
    """

    name: str
    modality: Modality
    encoder: Encoder | None
    dimensions: int | None
    joint: str | None
    space: Modality | None
    words: TextAnalysis | None
    metric: Metric = "cosine"


class Layout:
    """The fields of one collection, resolved: what is stored, and how it is reached.

    Args:
        name: The collection's name.
        section: Its part of the deployment file.
        encoders: The deployment's encoders by name.
        aligner: The deployment's aligner, or None.

    Raises:
        ConfigError: A field that cannot be: two kinds of vectors, or a clash of names.
    """

    def __init__(
        self,
        name: str,
        section: CollectionSection,
        encoders: Mapping[str, Encoder],
        aligner: Aligner | None,
    ) -> None:
        self.aligner = aligner
        self.fields = {
            field_name: self._resolve(f"collections.{name}.fields", field_name, field, encoders)
            for field_name, field in section.fields.items()
        }
        self.schema = CollectionSchema(
            name=name,
            vectors=tuple(self._vector_fields(name)),
            texts={
                field.name: field.words for field in self.fields.values() if field.words is not None
            },
            metadata=dict(section.metadata),
        )
        self.routes = {
            modality: self._routes(modality, encoders) for modality in self._queries(encoders)
        }

    def route_names(self) -> list[str]:
        """Return the names of all routes: by encoders, by words, and by given vectors."""
        return [
            *(route.name for routes in self.routes.values() for route in routes),
            *(f"words->{field}" for field in self.schema.texts),
            *(f"vector->{vector.name}" for vector in self.schema.vectors),
        ]

    def spaces(self, field: PartField, own: Vectors) -> dict[str, Vectors]:
        """Return what is stored of parts, by vector field: their own vectors, and joint ones.

        Args:
            field: The parts' field.
            own: (n, d) vectors from its encoder.
        """
        made = {field.name: own}
        if field.joint is not None and field.space is not None and self.aligner is not None:
            if len(own):
                made[field.joint] = self.aligner.transform(field.space, own)
            else:
                made[field.joint] = np.empty((0, self.aligner.dim), np.float32)
        return made

    def route_fingerprints(self) -> dict[str, str]:
        """Return what names the similarities of each route: what made the vectors, or BM25."""
        made = {vector.name: vector.fingerprint for vector in self.schema.vectors}
        return {
            **{r.name: made[r.field] for routes in self.routes.values() for r in routes},
            **dict.fromkeys((f"words->{field}" for field in self.schema.texts), WORDS),
            **{f"vector->{name}": fingerprint for name, fingerprint in made.items()},
        }

    def joint_fields(self) -> list[VectorField]:
        """Return the fields that a vector of the joint space is compared with."""
        names = {field.joint for field in self.fields.values()}
        if self.aligner is not None and self.aligner.shares_encoder_space:
            names = {field.name for field in self.fields.values() if field.space is not None}
        return [vector for vector in self.schema.vectors if vector.name in names]

    def _resolve(
        self, where: str, name: str, field: FieldSection, encoders: Mapping[str, Encoder]
    ) -> PartField:
        if field.encoder is not None and field.dimensions is not None:
            raise ConfigError(
                "a field has either an encoder or given vectors",
                where=f"{where}.{name}",
                hint="Remove `encoder` or `dimensions`.",
            )
        aligner = self.aligner
        encoder = encoders[field.encoder] if field.encoder is not None else None
        modality = field.modality or (encoder.modalities[0] if encoder else TEXT)
        if field.dimensions is not None:
            modality = field.modality or name
        if encoder is not None and modality not in encoder.modalities:
            raise ConfigError(
                f"the encoder {field.encoder!r} does not take {modality},"
                f" but {', '.join(encoder.modalities)}",
                where=f"{where}.{name}.modality",
                hint="Choose one of these, or another encoder.",
            )
        if field.words and modality != TEXT:
            raise ConfigError(
                f"only text has words, and this field holds {modality}",
                where=f"{where}.{name}.words",
                hint="Remove `words`.",
            )
        if field.dimensions is None and field.metric != "cosine":
            raise ConfigError(
                "only given vectors have a metric; those of an encoder are compared by cosine",
                where=f"{where}.{name}.metric",
                hint="Remove `metric`.",
            )
        space = None
        if encoder is not None and aligner is not None:
            space = space_of(aligner, encoder, modality)
        stored_apart = (
            space is not None and aligner is not None and not aligner.shares_encoder_space
        )
        joint = name + JOINT_SUFFIX if stored_apart else None
        words = _analysis(field.words)
        return PartField(
            name, modality, encoder, field.dimensions, joint, space, words, field.metric
        )

    def _vector_fields(self, collection: str) -> list[VectorField]:
        found: dict[str, VectorField] = {}
        for field in self.fields.values():
            made = []
            if field.encoder is not None:
                made.append(VectorField(field.name, field.encoder.dim, field.encoder.fingerprint))
            if field.dimensions is not None:
                made.append(given_field(field.name, field.dimensions, field.metric))
            if field.joint is not None and self.aligner is not None:
                made.append(VectorField(field.joint, self.aligner.dim, self.aligner.fingerprint))
            for vector in made:
                if vector.name in found or (
                    vector.name != field.name and vector.name in self.fields
                ):
                    raise ConfigError(
                        f"the joint vectors of {field.name!r} need the name {vector.name!r}",
                        where=f"collections.{collection}.fields",
                        hint="Rename the field.",
                    )
                found[vector.name] = vector
        return list(found.values())

    def _queries(self, encoders: Mapping[str, Encoder]) -> list[Modality]:
        modalities = [m for encoder in encoders.values() for m in encoder.modalities]
        return list(dict.fromkeys([*modalities, *([TEXT] if self.schema.texts else [])]))

    def _routes(self, query: Modality, encoders: Mapping[str, Encoder]) -> tuple[Route, ...]:
        """The encoder's own space where the query has vectors in it, else the joint space."""
        routes = []
        for field in self.fields.values():
            if field.encoder is None:
                continue
            name = f"{query}->{field.name}"
            own = _own_encoder(query, field.encoder, field.modality, encoders)
            if own is not None:
                routes.append(Route(name, query, field.name, own, None, query))
            elif self.aligner is not None and field.space is not None:
                found = aligned_encoder(self.aligner, query, encoders)
                if found is not None:
                    encoder, space = found
                    target = field.joint or field.name
                    # A probability that was learned from pictures says nothing of videos.
                    same = (space, field.space) == (query, field.modality)
                    items = field.modality if same else None
                    routes.append(
                        Route(name, query, target, encoder, self.aligner, space, items, field.name)
                    )
        return tuple(routes)


def space_of(aligner: Aligner, encoder: Encoder, modality: Modality) -> Modality | None:
    """Return the modality that an aligner takes an encoder's vectors for; None if it cannot."""
    origin, space = encoder.stands_for(modality)
    counterpart = aligner.encoders.get(space)
    if counterpart is None or counterpart.fingerprint != origin.fingerprint:
        return None
    return space


def aligned_encoder(
    aligner: Aligner, modality: Modality, encoders: Mapping[str, Encoder]
) -> tuple[Encoder, Modality] | None:
    """Return what encodes a modality for an aligner, and what the aligner takes it for."""
    if modality in aligner.encoders:
        return aligner.encoders[modality], modality
    for encoder in encoders.values():
        space = space_of(aligner, encoder, modality) if modality in encoder.modalities else None
        if space is not None:
            return encoder, space
    return None


def _own_encoder(
    query: Modality, encoder: Encoder, modality: Modality, encoders: Mapping[str, Encoder]
) -> Encoder | None:
    """Return what encodes a query into the space of a field's encoder, without an aligner."""
    if query in encoder.modalities:
        return encoder
    field_origin, field_space = encoder.stands_for(modality)
    for other in encoders.values():
        if query in other.modalities:
            origin, space = other.stands_for(query)
            if (origin.fingerprint, space) == (field_origin.fingerprint, field_space):
                return other
    return None


def _analysis(words: bool | WordsSection) -> TextAnalysis | None:
    if isinstance(words, WordsSection):
        return TextAnalysis(words.languages, words.stop_words)
    return TextAnalysis() if words else None
