"""What a session remembers, and how a turn changes it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tiepoint.conversation import chinese, english
from tiepoint.conversation.moves import ALL, LAST, Move
from tiepoint.errors import QueryError
from tiepoint.query.probes import Probe

_MOST_UNDONE = 20


class KeptProbe(BaseModel):
    """What a part that is no text asked, so that it need not be given again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    route: str
    field: str
    vector: str

    @classmethod
    def of(cls, probe: Probe) -> Self:
        """Return a probe as it is stored."""
        data = base64.b64encode(probe.vector.astype("<f4").tobytes()).decode()
        return cls(route=probe.route, field=probe.field, vector=data)

    def probe(self) -> Probe:
        """Return the probe."""
        vector = np.frombuffer(base64.b64decode(self.vector), "<f4").astype(np.float32)
        return Probe(self.route, self.field, vector)


class Asked(BaseModel):
    """The query as it stands after some turns.

    Attributes:
        text: What is asked for.
        narrowings: What it must have, too.
        without: What it must not have.
        like: Ids of hits to find more of.
        unlike: Ids of hits to find less of.
        where: Filters; all must pass.
        exclude: Ids that are not wanted.
        probes: What parts that are no text ask.
        negative_probes: What such parts that are not wanted ask.
    """

    model_config = ConfigDict(extra="forbid")

    text: str = ""
    narrowings: list[str] = Field(default_factory=list)
    without: list[str] = Field(default_factory=list)
    like: list[str] = Field(default_factory=list)
    unlike: list[str] = Field(default_factory=list)
    where: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    probes: list[KeptProbe] = Field(default_factory=list)
    negative_probes: list[KeptProbe] = Field(default_factory=list)

    @property
    def words(self) -> str:
        """What is asked for with its narrowings, as one text."""
        join = chinese.joined if chinese.is_chinese(self.text) else english.joined
        return join(self.text, self.narrowings)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.text or self.narrowings or self.probes or self.like)

    def describe(self) -> str:
        """Return the query in one line.

        >>> Asked(text="shoes", narrowings=["red"], without=["laces"]).describe()
        'red shoes; without: laces'
        """
        parts = [self.words] if self.words else []
        if self.probes:
            parts.append("like what was shown")
        named = {"without": self.without, "like": self.like, "unlike": self.unlike}
        parts += [f"{name}: {', '.join(values)}" for name, values in named.items() if values]
        parts += [f"where {where}" for where in self.where]
        return "; ".join(parts)


class SessionState(BaseModel):
    """A session between two turns.

    Attributes:
        collection: The collection that it searches.
        fingerprints: What made the vectors of the collection's fields when it began.
        asked: The query.
        before: The queries before, the latest last.
        turns: How many turns there were.
        offset: How many hits the last page left out.
        shown: Ids of the last page's hits.
    """

    model_config = ConfigDict(extra="forbid")

    collection: str
    fingerprints: dict[str, str]
    asked: Asked = Field(default_factory=Asked)
    before: list[Asked] = Field(default_factory=list)
    turns: int = 0
    offset: int = 0
    shown: list[str] = Field(default_factory=list)

    def say(self, text: str) -> None:
        """Change the query as a text says, in English or Chinese.

        Raises:
            QueryError: It names a hit that was not shown, or undoes where nothing was done.
        """
        text = " ".join(text.split())
        first = self.asked.is_empty
        said = chinese.moves(text, first=first)
        if said is None:
            said = english.moves(text, first=first)
        for move in [Move("narrow", text)] if said is None else said:
            self._make(move)

    def remember(self) -> None:
        """Keep the query as it is, for `undo`."""
        self.before = [*self.before, self.asked.model_copy(deep=True)][-_MOST_UNDONE:]

    def _make(self, move: Move) -> None:
        asked = self.asked
        match move.kind:
            case "restart":
                self.asked = Asked()
            case "ask":
                asked.text = move.text
            case "narrow":
                asked.narrowings = [*asked.narrowings, move.text]
            case "shift" if move.attribute:
                asked.narrowings = [*asked.narrowings[:-1], move.text]
            case "shift":
                asked.text, asked.probes = move.text, []
            case "without":
                asked.without = _added(asked.without, [move.text])
                asked.narrowings = [text for text in asked.narrowings if text != move.text]
            case "like":
                asked.like = _added(asked.like, self._hits(move.ranks))
                asked.unlike = [id_ for id_ in asked.unlike if id_ not in asked.like]
            case "unlike":
                asked.unlike = _added(asked.unlike, self._hits(move.ranks))
                asked.like = [id_ for id_ in asked.like if id_ not in asked.unlike]
            case "undo":
                self._undo()
            case "next":
                self.before.pop()
                self.offset += len(self.shown)
                return
        self.offset = 0
        if move.kind in ("ask", "narrow", "shift"):
            wanted = move.text.removeprefix("with ")
            asked.without = [text for text in asked.without if text != wanted]

    def _undo(self) -> None:
        self.before.pop()  # the query that the undoing turn met
        if not self.before:
            raise QueryError("there is no turn to undo", where="session", hint="Ask something.")
        self.asked = self.before.pop()

    def _hits(self, ranks: Sequence[int]) -> list[str]:
        found = []
        for rank in ranks:
            if rank == ALL:
                found += self.shown
            elif rank == LAST and self.shown:
                found.append(self.shown[-1])
            elif 1 <= rank <= len(self.shown):
                found.append(self.shown[rank - 1])
            else:
                raise QueryError(
                    f"the last turn showed {len(self.shown)} hits, not {rank}"
                    if rank > 0
                    else "the last turn showed no hits",
                    where="session",
                    hint="Name one that was shown.",
                )
        return found


def _added(ids: list[str], new: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*ids, *new]))
