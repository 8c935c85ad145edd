"""The options of methods that learn, and where tuning looks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tiepoint.alignment.hubness import Hubness
from tiepoint.alignment.inputs import InputOptions
from tiepoint.alignment.storage import Storage
from tiepoint.errors import ConfigError

AnyOptions = TypeVar("AnyOptions", bound=BaseModel)

LossName: TypeAlias = Literal["infonce", "sigmoid", "hinge"]


class Options(BaseModel):
    """What every method can be told; methods subclass it with their own.

    Attributes:
        inputs: What is done to the encoders' vectors first; nothing if not given.
        hubness: The correction that is written into the joint vectors; none if not given.
        storage: How the parameters are stored: `float32`, `float16`, or `int8` with a scale
            for each row. The aligner computes with what is stored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: InputOptions | None = None
    hubness: Hubness | None = None
    storage: Storage = "float32"


@dataclass(frozen=True, slots=True)
class Range:
    """Where the tuning of an option looks: from low to high, or one of some choices."""

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()


def checked_options(model: type[AnyOptions], method: str, given: Mapping[str, Any]) -> AnyOptions:
    """Return the options of a method.

    Args:
        model: What declares them.
        method: The method's name.
        given: What it is told.

    Raises:
        ConfigError: Options that the method does not take.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigError(
            f"{method}: {problem['msg']}",
            where=".".join(map(str, problem["loc"])),
            hint=f"Its options are {', '.join(model.model_fields) or 'none'}.",
        ) from error
