"""What was fitted, on disk: tensors, and the JSON card that vouches for them.

Every fit that can be saved (aligners, fusions, poolings, adapters, what plugins learn) is a folder
with a card, which says what it is and holds the SHA-256 of the tensors beside it.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tiepoint.errors import InputError
from tiepoint.saving import replace_together

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "safetensors")


class SavedCard(BaseModel):
    """What every card has; a kind of fit adds its own fields.

    Attributes:
        format: Version of the card's layout.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1


AnyCard = TypeVar("AnyCard", bound=SavedCard)


@dataclass(frozen=True)
class SavedFit(Generic[AnyCard]):
    """The files of one kind of fit.

    Attributes:
        name: What was fitted, such as `fusion`.
        card_type: The model of its card.
        card: The file name of the card.
        tensors: The file name of the tensors.
        hint: How to make one, for who has none.
    """

    name: str
    card_type: type[AnyCard]
    card: str
    tensors: str
    hint: str

    def read_card(self, folder: Path) -> AnyCard:
        """Read the card of a saved fit.

        Raises:
            InputError: There is none, or it is not one.
        """
        path = folder / self.card
        try:
            card = self.card_type.model_validate_json(path.read_text("utf-8"))
        except OSError as error:
            raise InputError(
                f"there is no fitted {self.name} here ({error.strerror})",
                where=str(path),
                hint=self.hint,
            ) from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise InputError(
                f"this is not the card of a fitted {self.name}",
                where=str(path),
                hint="Fit it again.",
            ) from error
        known = self.card_type.model_fields["format"].default
        if card.format != known:
            raise InputError(
                f"the card has format {card.format}, and this release reads {known}",
                where=str(path),
                hint="Fit it again, or install the release that wrote it.",
            )
        return card

    def read_tensors(self, folder: Path, stated: str) -> bytes:
        """Return the content of the tensors' file, if it is what the card says.

        Args:
            folder: Where card and tensors are.
            stated: The SHA-256 that the card states.

        Raises:
            InputError: It is missing, truncated, or was changed.
        """
        path = folder / self.tensors
        with readable(path):
            content = path.read_bytes()
        check_digest(path, sha256(content), stated)
        return content

    @contextmanager
    def taking(self, folder: Path) -> Iterator[None]:
        """Tell tensors that cannot be taken over as an InputError.

        Args:
            folder: Where they are; within the block, what loads and takes them raises
                SafetensorError, KeyError or ValueError for what does not fit.
        """
        from safetensors import SafetensorError

        try:
            yield
        except (SafetensorError, KeyError, ValueError) as error:
            raise InputError(
                f"the tensors do not fit the card ({error})",
                where=str(folder / self.tensors),
                hint="Fit it again.",
            ) from error

    def write(self, folder: Path, card: AnyCard, content: bytes) -> Path:
        """Write tensors and card into a folder (made if absent); returns it.

        A failure leaves what was saved before.

        Args:
            folder: Where.
            card: It has the SHA-256 of the content.
            content: Of the tensors' file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        stated = card.model_dump_json(indent=2).encode() + b"\n"
        replace_together({folder / self.tensors: content, folder / self.card: stated})
        return folder


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Tell that a file beside a card cannot be read as an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"it cannot be read ({error.strerror})", where=str(path), hint="Fit it again."
        ) from error


def check_digest(path: Path, found: str, stated: str) -> None:
    """Refuse a file that is not the one that the card vouches for.

    Args:
        path: The file.
        found: Its SHA-256.
        stated: What the card states.

    Raises:
        InputError: They differ.
    """
    if found != stated:
        raise InputError(
            "the file is truncated or was changed: its SHA-256 is not that of the card",
            where=str(path),
            hint="Copy the folder again, or fit it again.",
        )


def now() -> str:
    """Return the time of a fit, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions(libraries: Sequence[str] = _LIBRARIES) -> dict[str, str]:
    """Return the versions of Python and of the libraries that a fit depends on."""
    return {"python": platform.python_version()} | {name: version(name) for name in libraries}
