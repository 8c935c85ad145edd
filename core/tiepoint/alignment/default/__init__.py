"""The aligner that comes with the package: photographs and English or Chinese sentences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tiepoint.alignment.card import SAVED
from tiepoint.alignment.saved import SavedAligner
from tiepoint.encoders.base import Encoder
from tiepoint.errors import FingerprintError
from tiepoint.types import Modality


class DefaultAligner(SavedAligner):
    """The shipped aligner for its encoders: a `timm` preset, and MiniLM with USE.

    Fitted on photographs with English and Chinese captions; `docs/default-aligner.md` says
    which, how well it finds, and what its weights may be used for.

    Args:
        encoders: `image`: the `timm` encoder with the preset `fast` or `accurate`. `text`:
            the `concat` encoder of `transformers-text` and `use`, in this order.

    Raises:
        FingerprintError: Other encoders.
    """

    def __init__(self, encoders: Mapping[Modality, Encoder]) -> None:
        super().__init__(encoders, _folder(encoders))


def shipped() -> dict[str, Path]:
    """Return the folders of the shipped aligners, by preset of the image encoder."""
    cards = sorted(Path(__file__).parent.glob(f"*/{SAVED.card}"))
    return {card.parent.name: card.parent for card in cards}


def _folder(encoders: Mapping[Modality, Encoder]) -> Path:
    """Return the folder of the shipped aligner for these encoders."""
    folders = shipped()
    for folder in folders.values():
        card = SAVED.read_card(folder)
        if all(
            modality in card.encoders and card.encoders[modality].fingerprint == encoder.fingerprint
            for modality, encoder in encoders.items()
        ):
            return folder
    raise FingerprintError(
        f"the shipped aligner is not made for the encoders of {', '.join(encoders) or 'nothing'}",
        where="alignment.encoders",
        hint=(
            "For image take the encoder `timm` with the preset "
            f"{' or '.join(folders)} and for text `concat` of `transformers-text` and `use`;"
            " for other encoders fit one: tiepoint align fit."
        ),
    )
