"""Vectors of the pairs that a command was given, through the embedding cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.cli.align.options import HeldOutChoice, PairChoice
from tiepoint.cli.align.subjects import Subject, subject
from tiepoint.cli.output import say
from tiepoint.cli.progress import progress_of

if TYPE_CHECKING:
    from tiepoint.alignment.encoded_pairs import EncodedPairs
    from tiepoint.alignment.pair_files import Pair
    from tiepoint.alignment.pairs import PairSet
    from tiepoint.alignment.views import Views
    from tiepoint.encoders.base import Encoder, Vectors
    from tiepoint.encoders.cache import EmbeddingCache

SHOWN_SKIPS = 10


@dataclass(frozen=True)
class JointSpace:
    """A held-out split in an aligner's joint space.

    Attributes:
        subject: The aligner.
        lines: The lines of the split.
        pairs: Their vectors and links.
        images: (n, d) joint vectors.
        texts: (m, d) joint vectors.
    """

    subject: Subject
    lines: list[Pair]
    pairs: PairSet
    images: Vectors
    texts: Vectors


def joint_space(chosen: PairChoice, held_out: HeldOutChoice) -> JointSpace:
    """Encode a split and align it.

    Raises:
        InputError: No aligner there, a damaged one, or one for other encoders; no such split;
            nothing that can be used.
    """
    from tiepoint.alignment.pair_files import read_pairs

    found = subject(held_out.aligner_folder, chosen.config, chosen.preset)
    lines = read_pairs(chosen.pairs_file).select(held_out.split, chosen.languages)
    pairs = encoded(lines, chosen.folder, found.encoders, chosen.strict, held_out.split).pairs
    images, texts = (found.aligner.transform(m, x) for m, x in pairs.vectors.items())
    return JointSpace(found, lines, pairs, images, texts)


def encoded(
    pairs: list[Pair],
    root: Path,
    encoders: Mapping[str, Encoder],
    strict: bool,
    what: str,
    *,
    unpaired: bool = False,
) -> EncodedPairs:
    """Encode pairs through the embedding cache, with progress, and say what was skipped.

    Raises:
        InputError: Nothing can be used; in strict mode, a part that cannot be read.
    """
    from tiepoint.alignment.encoded_pairs import encode_pairs

    with remembering() as cache, progress_of(what) as progress:
        made = encode_pairs(
            pairs, root, encoders, cache, unpaired=unpaired, strict=strict, progress=progress
        )
    for skipped in made.skipped[:SHOWN_SKIPS]:
        say(f"skipped {skipped.where}: {skipped.reason}")
    if len(made.skipped) > SHOWN_SKIPS:
        say(f"skipped {len(made.skipped) - SHOWN_SKIPS} more")
    return made


def with_views_of(pairs: PairSet, root: Path, encoder: Encoder, views: Views) -> PairSet:
    """Encode changed versions of the images through the embedding cache, with progress.

    Raises:
        DecodeError: An image that cannot be read any more.
    """
    from tiepoint.alignment.views import with_views

    with remembering() as cache, progress_of("views of images") as progress:
        return with_views(pairs, root, encoder, views, cache, progress)


@contextmanager
def remembering() -> Iterator[EmbeddingCache]:
    """Open the embedding cache; at Ctrl-C say that what was encoded is kept."""
    from tiepoint.encoders.cache import EmbeddingCache

    cache = EmbeddingCache()
    try:
        yield cache
    except KeyboardInterrupt:
        say("what was encoded is kept; run the command again to go on")
        raise
    finally:
        cache.close()
