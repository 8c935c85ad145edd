"""Rules in the deployment file: what is wrong is said at its line, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tiepoint.config.loader import check
from tiepoint_security.plugin import SecurityConfig

ZONE = [[0, 0], [1, 0], [1, 1]]
CAMERA: dict[str, Any] = {"address": "./street.mp4"}
INTRUSION = {"when": {"intrusion": {"zones": ["yard"]}}}


def problems(tmp_path: Path, **security: Any) -> list[str]:
    """Return what `tiepoint config check` says of a deployment."""
    deployment = {
        "version": 1,
        "collections": {"items": {"fields": {"look": {"dimensions": 4}}}},
        "plugins": {"security": security},
    }
    file = tmp_path / "deploy.yaml"
    file.write_text(yaml.safe_dump(deployment, sort_keys=False))
    return [str(error) for error in check(file)]


@pytest.mark.parametrize(
    ("security", "words"),
    [
        (
            {"cameras": {"gate": {**CAMERA, "zones": {"yard": [[0, 0], [1.2, 0], [1, 1]]}}}},
            ["cameras.gate.zones.yard", "(1.2, 0) lies outside of the picture"],
        ),
        (
            {"cameras": {"gate": {**CAMERA, "zones": {"yard": [[0, 0], [0.5, 0.5], [1, 1]]}}}},
            ["cameras.gate.zones.yard", "covers nothing"],
        ),
        (
            {"cameras": {"gate": CAMERA, "Gate": CAMERA}},
            ["cameras.Gate", "'gate' and 'Gate' cannot be told apart"],
        ),
        (
            {
                "cameras": {"gate": {**CAMERA, "zones": {"yard": ZONE}}},
                "rules": {"in": {"when": {"intrusion": {"zones": ["yrad"]}}}},
            },
            ["rules.in.when.intrusion.zones[0]", "there is no zone 'yrad'", "'yard'"],
        ),
        (
            {"cameras": {"gate": CAMERA}, "rules": {"over": {"when": {"line_crossing": {}}}}},
            ["rules.over.when.line_crossing", "'line' is missing"],
        ),
        (
            {
                "cameras": {"gate": CAMERA},
                "rules": {"both": {"when": {"abnormal": {}, "fight": {}}}},
            },
            ["rules.both.when", "exactly one of"],
        ),
        (
            {"cameras": {"gate": CAMERA}, "rules": {"row": {"when": {"fight": {}}}}},
            ["cameras.gate", "fps: 10"],
        ),
        (
            {"cameras": {"gate": CAMERA}, "rules": {"camera": {"when": {"abnormal": {}}}}},
            ["rules.camera", "is taken"],
        ),
        (
            {"cameras": {"gate": {**CAMERA, "rules": {"strange": {}}}}},
            ["cameras.gate.rules.strange", "there is no rule 'strange'"],
        ),
        (
            {
                "cameras": {"gate": CAMERA},
                "rules": {"odd": {"cameras": ["gaet"], "when": {"abnormal": {}}}},
            },
            ["rules.odd.cameras[0]", "there is no camera 'gaet'", "'gate'"],
        ),
        (
            {
                "cameras": {"gate": CAMERA},
                "rules": {"odd": {"when": {"abnormal": {}}}},
                "alerts": {"rules": {"ood": {"cooldown_s": 5}}},
            },
            ["alerts.rules.ood", "there is no rule 'ood'", "'odd'"],
        ),
        (
            {"cameras": {"gate": CAMERA}, "rules": {"dog": {"when": {"described": {}}}}},
            ["rules.dog.when.described", "either text or picture"],
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    tmp_path: Path, security: dict[str, Any], words: list[str]
) -> None:
    [found] = problems(tmp_path, **security)
    assert "deploy.yaml:" in found
    for word in words:
        assert word in found


def test_rule_holds_on_the_cameras_that_have_its_places_and_is_overridden_on_one() -> None:
    config = SecurityConfig.model_validate(
        {
            "cameras": {
                "gate": {
                    **CAMERA,
                    "zones": {"yard": ZONE},
                    "rules": {"in": {"severity": "critical"}, "odd": {"enabled": False}},
                },
                "hall": CAMERA,
                "shed": {**CAMERA, "zones": {"yard": ZONE}},
            },
            "rules": {"in": INTRUSION, "odd": {"when": {"abnormal": {}}}},
        }
    )
    names = {camera: list(config.rules_of(camera)) for camera in config.cameras}
    assert names == {"gate": ["in"], "hall": ["odd"], "shed": ["in", "odd"]}
    assert config.rules_of("gate")["in"].severity == "critical"
    assert config.rules_of("shed")["in"].severity == "warning"
