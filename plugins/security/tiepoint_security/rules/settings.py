"""Rules as the deployment file writes them: triggers joined by `all`, `any` and `not`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from tiepoint.config.sections import Section
from tiepoint_security.alerts.severity import Severity
from tiepoint_security.rules.triggers import (
    AbandonedSettings,
    AbnormalSettings,
    CrowdingSettings,
    DescribedSettings,
    FightSettings,
    IntrusionSettings,
    LineCrossingSettings,
    LoiteringSettings,
    WrongDirectionSettings,
)

TriggerSettings: TypeAlias = (
    AbnormalSettings
    | DescribedSettings
    | IntrusionSettings
    | LoiteringSettings
    | WrongDirectionSettings
    | LineCrossingSettings
    | AbandonedSettings
    | CrowdingSettings
    | FightSettings
)


class When(Section):
    """One trigger, or several joined; exactly one of the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    all: tuple[When, ...] | None = Field(
        default=None, min_length=1, title="All", description="Each of these."
    )
    any: tuple[When, ...] | None = Field(
        default=None, min_length=1, title="Any", description="At least one of these."
    )
    not_: When | None = Field(default=None, alias="not", title="Not", description="Not this.")
    abnormal: AbnormalSettings | None = Field(
        default=None, title="Abnormal", description="What the camera does not usually see."
    )
    described: DescribedSettings | None = Field(
        default=None, title="Described", description="What a sentence or a picture describes."
    )
    intrusion: IntrusionSettings | None = Field(
        default=None, title="Intrusion", description="Something is in a zone."
    )
    loitering: LoiteringSettings | None = Field(
        default=None, title="Loitering", description="Something stays."
    )
    wrong_direction: WrongDirectionSettings | None = Field(
        default=None, title="Wrong direction", description="Something goes the wrong way."
    )
    line_crossing: LineCrossingSettings | None = Field(
        default=None, title="Line crossing", description="Something crosses a line."
    )
    abandoned: AbandonedSettings | None = Field(
        default=None, title="Abandoned", description="Something was left behind."
    )
    crowding: CrowdingSettings | None = Field(
        default=None, title="Crowding", description="Many at a time."
    )
    fight: FightSettings | None = Field(
        default=None, title="Fight", description="Fight-like motion."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> When:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            keys = [field.alias or name for name, field in type(self).model_fields.items()]
            written = f"{' and '.join(name.rstrip('_') for name in given)} are given at once"
            raise ValueError(
                f"{written if given else 'nothing is given'}; write exactly one of"
                f" {', '.join(keys)} (a trigger without options as `abnormal: {{}}`)"
            )
        return self

    @property
    def trigger(self) -> tuple[str, TriggerSettings] | None:
        """The trigger's name and options; None where several are joined."""
        for name in type(self).model_fields:
            found = getattr(self, name)
            if found is not None and name not in ("all", "any", "not_"):
                return name, found
        return None

    def parts(self) -> list[tuple[tuple[str | int, ...], When]]:
        """Return what is joined here, each with its place below this one."""
        if self.not_ is not None:
            return [(("not",), self.not_)]
        key = "all" if self.all is not None else "any"
        return [((key, number), part) for number, part in enumerate(self.all or self.any or ())]

    def triggers(
        self, place: tuple[str | int, ...] = ()
    ) -> Iterator[tuple[tuple[str | int, ...], str, TriggerSettings]]:
        """Yield every trigger with its place below this one, and its name."""
        if (trigger := self.trigger) is not None:
            yield (*place, trigger[0]), *trigger
        for step, part in self.parts():
            yield from part.triggers((*place, *step))


class RuleSettings(Section):
    """What raises an alert."""

    when: When = Field(title="When", description="What has to be the case.")
    severity: Severity = Field(default="warning", title="Severity", description="How bad it is.")
    cameras: tuple[str, ...] = Field(
        default=(),
        title="Cameras",
        description="The cameras it is for; if none is given, all that have the zones and lines"
        " that it names.",
    )


class RuleOverride(Section):
    """What is different about a rule on one camera."""

    enabled: bool = Field(
        default=True, title="Enabled", description="Whether the rule is looked at on this camera."
    )
    when: When | None = Field(
        default=None, title="When", description="What has to be the case here, instead."
    )
    severity: Severity | None = Field(
        default=None, title="Severity", description="How bad it is here."
    )

    def of(self, rule: RuleSettings) -> RuleSettings | None:
        """Return the rule as it is here; None where it is not looked at."""
        if not self.enabled:
            return None
        changed: dict[str, Any] = {"when": self.when, "severity": self.severity}
        return rule.model_copy(update={key: one for key, one in changed.items() if one is not None})
