"""Distinct English sentences of many lengths, for benchmarks of text encoders."""

from __future__ import annotations

import random
from itertools import product

_THINGS = (
    "a red bicycle", "an old stone bridge", "two children", "the harbour at night", "a tabby cat",
    "a cup of coffee", "the launch tower", "a yellow flower", "a crowded market", "the last train",
    "a painted temple", "an empty office", "a motorcycle", "the mountain path", "a wooden table",
)  # fmt: skip
_DOINGS = (
    "stands beside", "is seen from", "waits in front of", "was photographed with", "leans on",
    "moves slowly past", "is reflected in", "disappears behind", "is much older than", "resembles",
)  # fmt: skip
_ADDITIONS = (
    "in the early morning", "while it is raining", "under a clear sky", "on the other side",
    "as it does every day", "for the first time this year", "without anybody noticing",
)  # fmt: skip


def sentences(count: int) -> list[str]:
    """Return distinct texts of 8 to about 100 words, the same ones every time."""
    chosen = random.Random(7)  # noqa: S311 - nothing here is secret
    texts = []
    for number in range(count):
        clauses = [
            " ".join(map(chosen.choice, (_THINGS, _DOINGS, _THINGS, _ADDITIONS)))
            for _ in range(chosen.choice((1, 1, 1, 2, 2, 3, 6)))
        ]
        texts.append(f"Picture {number}: {', and '.join(clauses)}.")
    return texts


def phrases() -> list[str]:
    """Return 18,000 distinct texts of 5 to 18 words, shuffled, the same ones every time."""
    made = [" ".join(parts) for parts in product(_THINGS, _DOINGS, _THINGS, ("", *_ADDITIONS))]
    texts = list(dict.fromkeys(text.strip() for text in made))
    random.Random(7).shuffle(texts)  # noqa: S311 - nothing here is secret
    return texts
