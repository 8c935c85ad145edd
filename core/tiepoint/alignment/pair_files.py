"""Files of image-text pairs: CSV with `image,text` and, where there are, `lang,split,label`.

A line without a text, or without an image, is unpaired data.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tiepoint.errors import InputError

_COLUMNS = ("image", "text", "lang", "split", "label")


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a file of pairs; without an image or without a text it is unpaired data.

    Attributes:
        image: The image's path as written, relative to the root; empty if there is none.
        text: What is said of it; empty if there is none.
        language: Such as `en`; empty if the file does not say.
        split: Such as `train`; empty if the file does not say.
        label: The class of the image; empty if the file does not say.
    """

    image: str
    text: str
    language: str
    split: str
    label: str = ""

    @property
    def complete(self) -> bool:
        """Whether it has both an image and a text."""
        return bool(self.image and self.text)


@dataclass(frozen=True)
class PairFile:
    """The pairs of a file.

    Attributes:
        path: The file.
        pairs: Its lines in order.
    """

    path: Path
    pairs: tuple[Pair, ...]

    def select(
        self, split: str | None, languages: Sequence[str] = (), *, unpaired: bool = False
    ) -> list[Pair]:
        """Return the lines of a split and of some languages, in the order of the file.

        Args:
            split: The split; None for all.
            languages: The languages; all if empty. A line without a text has none.
            unpaired: Whether lines without an image or without a text are wanted, too.

        Raises:
            InputError: There is no such split, or it has none in these languages.
        """
        complete = [pair for pair in self.pairs if unpaired or pair.complete]
        in_split = [pair for pair in complete if split is None or pair.split == split]
        if not in_split:
            raise InputError(
                f"there is no split {split!r}",
                where=str(self.path),
                hint=f"Its splits: {_counted(p.split for p in complete)}.",
            )
        chosen = [
            pair
            for pair in in_split
            if not languages or not pair.text or pair.language in languages
        ]
        if not chosen:
            raise InputError(
                f"no pair is in {' or '.join(languages)}",
                where=str(self.path),
                hint=f"The languages there: {_counted(p.language for p in in_split)}.",
            )
        return chosen


def read_pairs(path: Path) -> PairFile:
    """Read a file of pairs, UTF-8 CSV with a header.

    Raises:
        InputError: It cannot be read, lacks the columns, or holds no pair.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("image", "text") if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"there is no column {missing[0]!r}",
                    where=str(path),
                    hint="The header must be image,text and may have lang,split,label.",
                )
            rows = [Pair(*((row.get(name) or "").strip() for name in _COLUMNS)) for row in reader]
    except OSError as error:
        raise InputError(
            f"the pairs cannot be read ({error.strerror})", where=str(path), hint="Check the path."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"this is not UTF-8 CSV ({error})", where=str(path), hint="Save it as UTF-8 CSV."
        ) from error
    if not any(row.complete for row in rows):
        raise InputError("the file holds no pair", where=str(path), hint="Add image,text lines.")
    return PairFile(path, tuple(row for row in rows if row.image or row.text))


def overlap(first: Sequence[Pair], second: Sequence[Pair]) -> int:
    """Return how many images of the second part are in the first, too."""
    return len({pair.image for pair in first} & {pair.image for pair in second} - {""})


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values).items()
    return ", ".join(f"{name or '(none)'} ({count})" for name, count in counts)
