"""A fitted aligner in a deployment: whatever method its card names."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from tiepoint import registry
from tiepoint.alignment.base import Aligner
from tiepoint.alignment.card import SAVED, check_encoders
from tiepoint.alignment.fitted import FittedAligner
from tiepoint.alignment.languages import LanguageGate
from tiepoint.alignment.signing import card_fingerprint
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import InputError
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.types import Modality


class SavedAligner(Aligner):
    """The aligner in a folder that `tiepoint align fit` wrote.

    The card is read and checked at once; the tensors load in `warm_up` or at the first use.

    Args:
        encoders: The encoders by modality.
        path: The folder.

    Raises:
        InputError: No aligner there, or a damaged one.
        FingerprintError: It was fitted for other encoders.
    """

    def __init__(self, encoders: Mapping[Modality, Encoder], path: Path) -> None:
        super().__init__(encoders)
        self.folder = Path(path)
        self.card = SAVED.read_card(self.folder)
        check_encoders(self.card, self.encoders, self.folder)
        self.dim = self.card.dim
        self.fingerprint = card_fingerprint(self.card)
        self._loaded: FittedAligner | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        self.fitted.warm_up()

    def transform(self, modality: Modality, x: Vectors) -> Vectors:
        return self.fitted.transform(modality, x)

    def match_probability(
        self, query: Modality, gallery: Modality, language: str = ""
    ) -> MatchProbability | None:
        return self.card.match_probability(query, gallery, language)

    def languages(self, modality: Modality) -> LanguageGate | None:
        return self.fitted.languages(modality)

    @property
    def fitted(self) -> FittedAligner:
        """The aligner itself, loaded at the first use.

        Raises:
            InputError: The tensors are missing, truncated, or were changed.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = load_aligner(self.folder, self.encoders)
        return self._loaded


def load_aligner(folder: Path, encoders: Mapping[Modality, Encoder]) -> FittedAligner:
    """Load a saved aligner of whatever method its card names.

    Raises:
        InputError: No aligner there, or a damaged one.
        FingerprintError: It was fitted for other encoders.
        PluginError: Its method is not installed.
    """
    return fitted_method(SAVED.read_card(folder).method).load(folder, encoders)


def fitted_method(name: str) -> type[FittedAligner]:
    """Return the class of a method that can be fitted.

    Raises:
        PluginError: It is not installed.
        InputError: It is an aligner that does not learn.
    """
    made = registry.load(registry.ALIGNERS, name)
    if not (isinstance(made, type) and issubclass(made, FittedAligner)):
        raise InputError(
            f"the aligner {name!r} does not learn from pairs",
            hint="Choose a method that is fitted, such as ridge or cca.",
        )
    return made
