"""Several encoders of one modality as one: their vectors side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.encoders.nested import encoder_of
from tiepoint.errors import ConfigError
from tiepoint.types import Modality


class ConcatEncoder(Encoder):
    """Concatenates the unit vectors of several encoders, each with the same weight.

    The cosine of two such vectors is the mean of the members' cosines; an aligner can use
    what any of them knows.

    Args:
        encoders: Two or more encoders, each as in a deployment file: `type`, and its options.

    Raises:
        ConfigError: Fewer than two encoders, or options that one does not take.
        PluginError: A member is not installed.
    """

    def __init__(self, encoders: Sequence[Mapping[str, Any]]) -> None:
        if len(encoders) < 2:
            raise ConfigError("a concatenation needs two encoders or more", where="encoders")
        self.members = tuple(
            encoder_of(section, f"encoders.{index}") for index, section in enumerate(encoders)
        )

    @cached_property
    def modalities(self) -> tuple[Modality, ...]:  # type: ignore[override]  # from the members
        """The modalities that all members take, in the order of the first.

        Raises:
            ConfigError: There is none.
        """
        first, *others = self.members
        common = tuple(
            m for m in first.modalities if all(m in other.modalities for other in others)
        )
        if not common:
            kinds = " and ".join(", ".join(member.modalities) for member in self.members)
            raise ConfigError(f"the encoders take {kinds}", hint="Name encoders of one modality.")
        return common

    @cached_property
    def dim(self) -> int:  # type: ignore[override]  # from the members
        """Length of the vectors: the members' together."""
        return sum(member.dim for member in self.members)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]  # from the members
        """The members' fingerprints, in their order."""
        return f"concat[{'|'.join(member.fingerprint for member in self.members)}]"

    def warm_up(self) -> None:
        for member in self.members:
            member.warm_up()

    def read(self, part: Any, modality: Modality | None = None) -> Any:
        return self.members[0].read(part, modality or self.modalities[0])

    def prepare(self, part: Any, modality: Modality | None = None) -> tuple[Any, ...]:
        kind = modality or self.modalities[0]
        return tuple(member.prepare(part, kind) for member in self.members)

    def infer(
        self, prepared: Sequence[tuple[Any, ...]], modality: Modality | None = None
    ) -> Vectors:
        kind = modality or self.modalities[0]
        parts = [
            member.infer([part[index] for part in prepared], kind)
            for index, member in enumerate(self.members)
        ]
        return np.concatenate(parts, axis=1) / np.float32(np.sqrt(len(parts)))

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "members": [member.describe() for member in self.members]}
