"""Turns of a session in English."""

from __future__ import annotations

import re

from tiepoint.conversation.moves import ALL, LAST, Move

_ORDINALS = {
    word: rank
    for rank, words in enumerate(
        (
            ("first", "1st"),
            ("second", "2nd"),
            ("third", "3rd"),
            ("fourth", "4th"),
            ("fifth", "5th"),
            ("sixth", "6th"),
            ("seventh", "7th"),
            ("eighth", "8th"),
            ("ninth", "9th"),
            ("tenth", "10th"),
        ),
        1,
    )
    for word in words
} | {"last": LAST, "this": 1, "that": 1, "it": 1, "these": ALL, "those": ALL, "them": ALL}

_RANK = (
    rf"(?:the |number |no\.? ?|#)?(?:{'|'.join(_ORDINALS)}|\d{{1,4}})"
    r"(?: (?:one|hit|result|picture|image)s?)?"
)
_RANKS = rf"(?P<ranks>{_RANK}(?:(?:,| and|, and) {_RANK})*)"
_END = r"[\s.!?]*$"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_RESTART = _pattern(
    r"^(?:start (?:over|again|anew)|new search|restart|reset|forget (?:it|that|everything))"
    r"(?:$|[\s:,.;!-]+(?P<rest>.*)$)"
)
_UNDO = _pattern(rf"^(?:undo(?: that)?|go back|back|take (?:that|it) back){_END}")
_NEXT = _pattern(rf"^(?:more|next(?: page)?|(?:show (?:me )?)?more(?: results| hits)?){_END}")
_LIKE = _pattern(
    r"^(?:(?:show|give|find)(?: me)? )?(?:(?:more|others?|ones?|something|things|items) )?"
    rf"(?:like|similar to) {_RANKS}{_END}"
)
_UNLIKE = _pattern(
    r"^(?:but )?(?:not|nothing|none|less|fewer|unlike)(?: things| ones)?(?: like)? "
    rf"{_RANKS}{_END}"
)
_WITHOUT = _pattern(
    r"^(?:but |and |please |now )*(?:without|no|not|except(?: for)?|excluding|exclude|minus|hide"
    r"|remove|leave out|avoid|skip|(?:i )?do(?: not|n['’]t) (?:want|show)(?: me)?)"
    r"\s+(?:any |the |a |an )?(?P<what>.+?)" + _END
)
_INLINE = _pattern(
    r"^(?P<wanted>.+?)[\s,]+(?:but |and )?(?:without|but not|but no|except(?: for)?|excluding)\s+"
    r"(?:any |the |a |an )?(?P<what>.+?)" + _END
)
_SHIFT = _pattern(
    r"^(?:(?:no,? )?(?:instead,?|rather|how about|what about)\s+(?P<a>.+?)|(?P<b>.+?),? instead)"
    + _END
)
_LEADING = _pattern(
    r"^(?:(?:and|also|but|please|now|then|only|just|show me|show|give me|i want|i'd like"
    r"|make (?:it|them|that))\s+)+"
)
_ONES = _pattern(r"^(?:(?:the|a|an|some|those|these)\s+)?(?P<what>.+?)\s+ones?$")
_THE_ONES = _pattern(
    r"^(?:the |those |these )?ones? (?:that (?:are|is|have|has) |which (?:are|is|have|has) )?"
)
_PREPOSITION = _pattern(
    r"^(?:with|in|of|on|at|under|over|from|for|by|near|inside|outside|during|made)\b"
)


def moves(text: str, *, first: bool) -> list[Move] | None:
    """Return what a turn says; None where it is an ordinary narrowing, in any language.

    Args:
        text: The turn.
        first: Whether nothing was asked before, so that there is nothing to refine.
    """
    if restart := _RESTART.match(text):
        rest = (restart["rest"] or "").strip()
        return [Move("restart"), *(_asked(rest) if rest else [])]
    if first:
        return _asked(text)
    if _UNDO.match(text):
        return [Move("undo")]
    if _NEXT.match(text):
        return [Move("next")]
    if found := _LIKE.match(text):
        return [Move("like", ranks=_ranks(found["ranks"]))]
    if found := _UNLIKE.match(text):
        return [Move("unlike", ranks=_ranks(found["ranks"]))]
    if found := _WITHOUT.match(text):
        return [Move("without", attribute_of(found["what"])[0])]
    if found := _SHIFT.match(text):
        what, attribute = attribute_of(found["a"] or found["b"])
        return [Move("shift", what, attribute=attribute)]
    if found := _INLINE.match(text):
        return [Move("narrow", attribute_of(found["wanted"])[0]), Move("without", found["what"])]
    if not text.isascii():
        return None
    return [Move("narrow", attribute_of(text.rstrip(" .!?"))[0])]


def attribute_of(text: str) -> tuple[str, bool]:
    """Return what a narrowing names, and whether it is a property rather than a thing.

    >>> attribute_of("only the red ones")
    ('red', True)
    >>> attribute_of("in the snow")
    ('in the snow', True)
    >>> attribute_of("boots")
    ('boots', False)
    """
    bare = _LEADING.sub("", text.strip())
    if ones := _ONES.match(bare):
        return ones["what"], True
    stripped = _THE_ONES.sub("", bare)
    return stripped, stripped != bare or bool(_PREPOSITION.match(stripped))


def joined(asked: str, narrowings: list[str]) -> str:
    """Return a query in words: properties before what has them, circumstances behind.

    >>> joined("shoes", ["red", "with laces"])
    'red shoes with laces'
    """
    before = [narrowing for narrowing in narrowings if not _PREPOSITION.match(narrowing)]
    behind = [narrowing for narrowing in narrowings if _PREPOSITION.match(narrowing)]
    return " ".join(filter(None, [*before, asked, *behind]))


def _asked(text: str) -> list[Move]:
    if found := _INLINE.match(text):
        return [Move("ask", found["wanted"]), Move("without", found["what"])]
    if (found := _WITHOUT.match(text)) and text.lower().startswith("without "):
        return [Move("without", found["what"])]
    return [Move("ask", text)]


def _ranks(text: str) -> tuple[int, ...]:
    words = re.findall(rf"\b(?:{'|'.join(_ORDINALS)}|\d{{1,4}})\b", text.lower())
    return tuple(_ORDINALS[word] if word in _ORDINALS else int(word) for word in words)
