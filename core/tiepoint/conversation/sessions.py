"""Searches in sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tiepoint.conversation.state import KeptProbe, SessionState
from tiepoint.conversation.store import SessionStore, checked_name
from tiepoint.errors import QueryError
from tiepoint.query.options import SearchOptions
from tiepoint.query.plan import Side
from tiepoint.search import CollectionSearch
from tiepoint.types import TEXT, Hit, Modality


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as it stands.

    Attributes:
        name: Its name.
        collection: What it searches.
        turns: How many turns it had.
        query: The query in one line.
        text: What is asked for, with its narrowings.
        without: What is not wanted.
        like: Ids of hits to find more of.
        unlike: Ids of hits to find less of.
        where: Filters; all must pass.
        updated: When its last turn was, in seconds since 1970.
    """

    name: str
    collection: str
    turns: int
    query: str
    text: str
    without: list[str]
    like: list[str]
    unlike: list[str]
    where: list[str]
    updated: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


class Sessions:
    """The search sessions of a deployment.

    Args:
        store: Where they lie between turns.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def all(self) -> list[SessionInfo]:
        """Return the sessions that are kept, the latest first."""
        found = [(name, updated, self._store.load(name)) for name, updated in self._store.names()]
        return [_info(name, updated, state) for name, updated, state in found if state is not None]

    def get(self, name: str) -> SessionInfo | None:
        """Return a session; None where there is none, or none any more."""
        return next((info for info in self.all() if info.name == name), None)

    def reset(self, name: str) -> bool:
        """Forget a session; tells whether there was one."""
        return self._store.reset(checked_name(name))

    def search(
        self,
        name: str,
        search: CollectionSearch,
        parts: Mapping[Modality, Any],
        vectors: Any,
        *,
        where: str | None,
        exclude: Sequence[str],
        k: int,
        explain: bool,
        options: SearchOptions,
    ) -> list[Hit]:
        """Take a turn: change the session's query, and answer it.

        What narrows (text, filters, exclusions, negative parts, `like`, `unlike`) stays for the
        turns that follow; weights, boosts, groups, diversity and pages are this turn's own. A
        turn that cannot be answered leaves the session as it was.

        Raises:
            QueryError: As `CollectionSearch.search`; also a session on other vectors, and a
                turn that refers to what was not shown.
            StoreError: The session cannot be read or written.
        """
        schema = search.layout.schema
        fingerprints = {field.name: field.fingerprint for field in schema.vectors}
        state = self._store.load(checked_name(name)) or SessionState(
            collection=schema.name, fingerprints=fingerprints
        )
        if (state.collection, state.fingerprints) != (schema.name, fingerprints):
            raise QueryError(
                f"the session {name!r} searches {state.collection!r} by other vectors",
                where="session",
                hint="Reset it, or give another name.",
            )
        state.remember()
        _take(state, search, parts, vectors, options)
        asked = state.asked
        asked.where += [where] if where is not None and where not in asked.where else []
        asked.exclude = list(dict.fromkeys([*asked.exclude, *exclude]))
        hits = search.search(
            {TEXT: asked.words} if asked.words else {},
            None,
            where=" and ".join(f"({where})" for where in asked.where) or None,
            exclude=asked.exclude,
            k=k,
            explain=explain,
            options=options.model_copy(
                update={
                    "negative": {},
                    "like": tuple(asked.like),
                    "unlike": tuple(asked.unlike),
                    "offset": options.offset or (0 if options.after else state.offset),
                }
            ),
            kept=Side([kept.probe() for kept in asked.probes]),
            kept_unwanted=_unwanted(state, search),
        )
        state.turns += 1
        state.shown = [hit.id for hit in hits]
        self._store.save(name, state)
        return hits


def _take(
    state: SessionState,
    search: CollectionSearch,
    parts: Mapping[Modality, Any],
    vectors: Any,
    options: SearchOptions,
) -> None:
    """Put what a turn gives into the session's query."""
    given = dict(parts)
    text = given.pop(TEXT, None)
    if text is not None and not isinstance(text, str):
        raise QueryError("the text of a turn is a string", where="session", hint="Give words.")
    negative = dict(options.negative)
    unwanted = negative.pop(TEXT, None)
    asked = state.asked
    if given or vectors is not None:
        probes = [*search.reader.read(given)[0]]
        probes += search.reader.given(vectors) if vectors is not None else []
        if not probes:
            raise search.reader.no_route(given)
        asked.probes = [KeptProbe.of(probe) for probe in probes]
    if text is not None and text.strip():
        state.say(text)
        asked = state.asked
    else:
        state.offset = 0
    if unwanted is not None:
        asked.without = [*asked.without, str(unwanted)]
    if negative:
        against = search.reader.read(negative)[0]
        asked.negative_probes += [KeptProbe.of(probe) for probe in against]
    asked.like = list(dict.fromkeys([*asked.like, *options.like]))
    asked.unlike = list(dict.fromkeys([*asked.unlike, *options.unlike]))


def _unwanted(state: SessionState, search: CollectionSearch) -> Side:
    """Return what the session does not want: each text by itself, and kept parts."""
    asked = state.asked
    unwanted = Side([kept.probe() for kept in asked.negative_probes])
    for text in asked.without:
        unwanted += Side(*search.reader.read({TEXT: text}))
    return unwanted


def _info(name: str, updated: float, state: SessionState) -> SessionInfo:
    asked = state.asked
    return SessionInfo(
        name,
        state.collection,
        state.turns,
        asked.describe(),
        asked.words,
        asked.without,
        asked.like,
        asked.unlike,
        asked.where,
        updated,
    )
