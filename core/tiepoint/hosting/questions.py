"""What can be asked of a deployment: hits, answers and vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from tiepoint.answering.base import Answer
from tiepoint.conversation.sessions import Sessions
from tiepoint.conversation.store import SessionStore, sessions_file
from tiepoint.encoders.base import Vectors
from tiepoint.errors import ConfigError, QueryError
from tiepoint.hosting.lifecycle import Lifecycle
from tiepoint.query.batches import HitLists
from tiepoint.query.dicom import with_dicom
from tiepoint.query.options import SearchOptions
from tiepoint.query.probes import Encoded
from tiepoint.routes import aligned_encoder
from tiepoint.types import AUDIO, IMAGE, TEXT, VIDEO, Hit


class Questions:
    """Questions to the collections of one deployment.

    Args:
        life: What is open of it.
    """

    def __init__(self, life: Lifecycle) -> None:
        self._life = life

    def search(
        self,
        *,
        text: str | None = None,
        image: Any = None,
        audio: Any = None,
        video: Any = None,
        dicom: Any = None,
        vector: Mapping[str, Any] | Any = None,
        parts: Mapping[str, Any] | None = None,
        where: str | None = None,
        exclude: Sequence[str] = (),
        k: int = 10,
        collection: str | None = None,
        explain: bool = False,
        session: str | None = None,
        encoded: Encoded | None = None,
        **options: Any,
    ) -> list[Hit]:
        """Return the k best items for a query of one or more parts, best first.

        Where one route answers, a hit's score is its similarity (cosine, or BM25); where
        several do, it is the fusion's sum. With negative parts, boosts or feedback, too, the
        hit's contributions sum to its score.

        Args:
            text: Words to match by meaning and, where a field indexes words, by BM25.
            image: Path, bytes, PIL image or array.
            audio: Path, bytes or samples.
            video: Path, also with a time range (`talk.mp4#t=10,20.5`), bytes, or frames.
            dicom: Path or bytes of a DICOM object, which is asked for as an image; or the path
                of a folder of them, asked for as a volume.
            vector: (d,) vector of the joint space, or vectors by vector field.
            parts: Further query parts by modality.
            where: A filter on metadata, such as `price < 20 and color == "red"`.
            exclude: Ids that are not wanted.
            k: How many hits, 1 to 16384.
            collection: Which collection; may be left out where there is one.
            explain: Whether hits say in words what made their score.
            session: The name of a search session: the text narrows or shifts what the turns
                before asked (see `Host.sessions`).
            encoded: The parts' vectors, where `encode_texts` has made them already.
            options: What else is asked for, by the names of `SearchOptions`: `negative` (a
                text, or parts by modality), `like` and `unlike` (ids), `weights`, `boosts`,
                `minimum`, `group_by` and `group_size`, `offset` or `after`, `diversity`.

        Raises:
            QueryError: Nothing to search for, no route that leads to it, a bad k or vector, or
                an option that does not exist or cannot be.
            DecodeError: A query part that cannot be read.
            FilterError: A filter that cannot be understood.
        """
        if parts is not None and not isinstance(parts, Mapping):
            raise QueryError("parts is no dictionary", hint="Give parts by modality.")
        given = {TEXT: text, IMAGE: image, AUDIO: audio, VIDEO: video, **(parts or {})}
        if dicom is not None:
            given = with_dicom(given, dicom)
        query = {modality: part for modality, part in given.items() if part is not None}
        life = self._life
        with life.answering:
            serving = life.serving or life.served()
            search = serving.searches[life.name(collection)]
            if session is not None:
                return self.sessions.search(
                    session,
                    search,
                    query,
                    vector,
                    where=where,
                    exclude=exclude,
                    k=k,
                    explain=explain,
                    options=SearchOptions.of(options),
                )
            return search.search(
                query,
                vector,
                where=where,
                exclude=exclude,
                k=k,
                explain=explain,
                options=SearchOptions.of(options) if options else None,
                encoded=encoded,
            )

    def encode_texts(self, texts: Sequence[str], *, collection: str | None = None) -> list[Encoded]:
        """Return the vectors of many queries' texts, encoded together, for `search(encoded=)`.

        Args:
            texts: One of each query.
            collection: Which collection will be searched; may be left out where there is one.

        Raises:
            DecodeError: One of the texts cannot be read.
        """
        life = self._life
        with life.answering:
            return life.served().searches[life.name(collection)].reader.encode(TEXT, texts)

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """Return an answer to a question from hits, of which every sentence cites some.

        A citation of anything else than these hits is left out, and so is a sentence without
        one (or it is marked, as `answer.unsupported` says).

        Args:
            question: In any language.
            hits: The hits of a search; the best `answer.hits` of them are used.

        Raises:
            ConfigError: The deployment names no language model under `answer`.
            DecodeError: The question is no text.
            AnswerError: The model did not answer.
        """
        from tiepoint.answering.answering import answer

        section = self._life.deployment.answer
        answerer = self._life.assembly.answerer
        if section is None or answerer is None:
            raise ConfigError(
                "the deployment names no language model",
                where="answer",
                hint="Add `answer: {type: transformers, model: ./folder}` or `type: openai`.",
            )
        return answer(question, hits, answerer, most=section.hits, unsupported=section.unsupported)

    def search_many(
        self,
        vectors: Mapping[str, Any] | Any,
        *,
        where: str | None = None,
        exclude: Sequence[str] = (),
        k: int = 10,
        collection: str | None = None,
    ) -> HitLists:
        """Return the k best items for each of many vectors, all cores working on them.

        Args:
            vectors: (n, d) vectors of the only field, or those of one field by its name.
            where: A filter on metadata.
            exclude: Ids that are not wanted.
            k: How many hits of each, 1 to 16384.
            collection: Which collection; may be left out where there is one.

        Returns:
            A sequence of n lists of hits, as `search` returns them but without boosts and
            probabilities; its `found` has the ids and scores alone.

        Raises:
            QueryError: Bad vectors or a bad k, or vectors that not one field alone is for.
            FilterError: A filter that cannot be understood.
        """
        life = self._life
        with life.answering:
            search = life.served().searches[life.name(collection)]
            return search.search_many(vectors, where=where, exclude=exclude, k=k)

    def embed(self, **parts: Sequence[Any]) -> Vectors:
        """Return (n, d) joint vectors of n parts of one modality, as stored and as asked.

        Args:
            parts: One modality with its parts, such as `image=["a.jpg"]` or `text=["a dog"]`.

        Raises:
            QueryError: Not exactly one modality, or one that is not aligned.
            DecodeError: A part that cannot be read.
        """
        aligner = self._life.assembly.aligner
        if len(parts) != 1:
            raise QueryError(
                "give the parts of exactly one modality", hint="Call embed(text=[...])."
            )
        [(modality, batch)] = parts.items()
        found = None
        if aligner is not None:
            found = aligned_encoder(aligner, modality, self._life.assembly.encoders)
        if aligner is None or found is None:
            known = ", ".join(aligner.encoders) if aligner else "none"
            raise QueryError(f"{modality!r} is not aligned", hint=f"Aligned: {known}.")
        if isinstance(batch, str | bytes):
            raise QueryError(f"{modality} is one part", hint=f"Call embed({modality}=[...]).")
        encoder, space = found
        own = encoder.encode(batch, modality)
        return aligner.transform(space, own) if len(batch) else own

    @cached_property
    def sessions(self) -> Sessions:
        """The search sessions, which outlive the host: to list, look at and reset."""
        section = self._life.deployment.search
        file = sessions_file(self._life.deployment.store.uri)
        return Sessions(SessionStore(file, section.session_hours))
