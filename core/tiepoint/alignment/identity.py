"""Identity alignment: a joint model's vectors already lie in one space."""

from __future__ import annotations

from collections.abc import Mapping

from tiepoint.alignment.base import Aligner
from tiepoint.alignment.checks import checked_vectors, unit_rows
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.errors import ConfigError, FingerprintError
from tiepoint.types import Modality


class IdentityAligner(Aligner):
    """Leaves vectors as they are, for a joint model such as CLIP or SigLIP.

    Args:
        encoders: One and the same model for every modality.

    Raises:
        ConfigError: No encoders.
        FingerprintError: The encoders are not the same model.
    """

    def __init__(self, encoders: Mapping[Modality, Encoder]) -> None:
        super().__init__(encoders)
        if not encoders:
            raise ConfigError("identity alignment needs encoders", where="alignment.encoders")
        fingerprints = {encoder.fingerprint for encoder in encoders.values()}
        if len(fingerprints) != 1:
            raise FingerprintError(
                "identity alignment takes the vectors of one joint model, but the encoders of "
                f"{', '.join(sorted(encoders))} are {len(fingerprints)} different models",
                where="alignment.encoders",
                hint="Name the same joint encoder for every modality, or use another alignment.",
            )
        for modality, encoder in encoders.items():
            if modality not in encoder.modalities:
                raise ConfigError(
                    f"the encoder takes {', '.join(encoder.modalities)}, not {modality}",
                    where=f"alignment.encoders.{modality}",
                )
        self.dim = next(iter(encoders.values())).dim
        self.fingerprint = f"identity/{fingerprints.pop()}"

    def transform(self, modality: Modality, x: Vectors) -> Vectors:
        return unit_rows(checked_vectors(self.encoders, modality, x))
