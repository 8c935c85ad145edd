"""The contract of aligners: each modality's vectors into one joint space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from tiepoint.alignment.languages import LanguageGate
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.fusion.calibration import MatchProbability
from tiepoint.types import Modality


class Aligner(ABC):
    """Maps vectors of several modalities into one space, where cosines compare.

    Constructed with the encoders whose vectors it takes, by modality; cheap until `warm_up`.

    Attributes:
        dim: Length of the joint vectors.
        fingerprint: Names the method, its parameters and its encoders' fingerprints.
        shares_encoder_space: Whether `transform` leaves vectors as they are, so that they need
            not be stored twice.
    """

    dim: int
    fingerprint: str
    shares_encoder_space: bool = False

    def __init__(self, encoders: Mapping[Modality, Encoder]) -> None:
        self.encoders = dict(encoders)

    def warm_up(self) -> None:
        """Load or compute what `transform` needs. Idempotent."""

    @abstractmethod
    def transform(self, modality: Modality, x: Vectors) -> Vectors:
        """Return (n, dim) float32 unit vectors for (n, d_in) vectors of one modality.

        Raises:
            SchemaError: The modality is not aligned, or d_in is not its encoder's.
        """

    def match_probability(
        self, query: Modality, gallery: Modality, language: str = ""
    ) -> MatchProbability | None:
        """Return what a similarity of such a query to such items means, where it was calibrated.

        Args:
            query: The query's modality.
            gallery: The items'.
            language: That of the texts among them, as `languages` tells it; languages are not
                equally sure.
        """
        return None

    def languages(self, modality: Modality) -> LanguageGate | None:
        """Return what tells a part's language by its encoder's vector; None for one language."""
        return None
