"""Rules in the deployment file: what is wrong is said at its line, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tiepoint.cli.config import config
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


def checked(tmp_path: Path, when: dict[str, Any], **deployment: Any) -> tuple[int, str]:
    """Return exit code and message of `tiepoint config check` for a camera with one rule."""
    given = {
        "version": 1,
        "collections": {"items": {"fields": {"text": {"words": True}}}},
        "plugins": {"security": {"cameras": {"gate": CAMERA}, "rules": {"red": {"when": when}}}},
        **deployment,
    }
    file = tmp_path / "deploy.yaml"
    file.write_text(yaml.safe_dump(given, sort_keys=False))
    done = CliRunner().invoke(config, ["check", str(file)])
    return done.exit_code, done.stderr


PHOTO = {"encoders": {"photo": {"type": "timm", "preset": "fast"}}}


@pytest.mark.parametrize(
    ("when", "deployment", "words"),
    [
        (
            {"described": {"text": "a red van"}},
            {},
            "rules.red.when.described): the trigger 'described' needs an encoder of pictures",
        ),
        (
            {"all": [{"abnormal": {"by": "looks"}}]},
            {},
            "rules.red.when.all.0.abnormal): the trigger 'abnormal by looks' needs an encoder",
        ),
    ],
)
def test_rules_that_could_never_say_anything_are_refused(
    tmp_path: Path, when: dict[str, Any], deployment: dict[str, Any], words: str
) -> None:
    code, message = checked(tmp_path, when, **deployment)
    assert code == 2
    assert words in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"text": "a red van"}, "a sentence needs an alignment of texts"),
        ({"picture": "./absent.jpg"}, "there is no picture"),
    ],
)
def test_descriptions_need_what_they_are_compared_by(
    tmp_path: Path, described: dict[str, Any], words: str
) -> None:
    security = {
        "encoder": "photo",
        "cameras": {"gate": CAMERA},
        "rules": {"red": {"when": {"described": described}}},
    }
    code, message = checked(tmp_path, {}, **PHOTO, plugins={"security": security})
    assert code == 2
    assert words in message
    assert len(message.splitlines()) == 1
