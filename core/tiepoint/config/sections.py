"""What parts of the deployment file are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
"""How encoders, collections, fields and sources may be called."""


class Section(BaseModel):
    """A part of the deployment file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ComponentSection(BaseModel):
    """A part that names an entry point by `type`; its other keys are that component's options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(title="Type", description="Which component: the name of its entry point.")

    @property
    def options(self) -> dict[str, Any]:
        """The keys other than `type`: keyword arguments of the component."""
        return dict(self.model_extra or {})
