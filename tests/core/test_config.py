"""Deployment files: what is read, and what is said where something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tiepoint import registry
from tiepoint.config.loader import check, load, loads
from tiepoint.config.schema import deployment_schema
from tiepoint.errors import ConfigError


class Lens:
    """An encoder by its signature only: no option check may construct it."""

    def __init__(
        self, model: str | Path = "small", batch: int = 8, weights: Path | None = None
    ) -> None:
        raise AssertionError("constructed")


@pytest.fixture(autouse=True)
def lens():
    undo = registry.register(registry.ENCODERS, "lens", Lens)
    yield
    undo()


MINIMAL = """\
version: 1
encoders:
  photo:
    type: lens
collections:
  items:
    fields:
      image:
        encoder: photo
"""


def error_of(text: str, **options) -> str:
    with pytest.raises(ConfigError) as caught:
        loads(text, "deploy.yaml", **options)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.exit_code == 2
    return line


def test_a_minimal_file_is_a_deployment():
    deployment = loads(MINIMAL, "deploy.yaml")
    assert deployment.encoders["photo"].type == "lens"
    assert deployment.fusion.type == "weighted"


def test_a_file_is_read_from_disk_with_paths_relative_to_it(tmp_path):
    path = tmp_path / "deploy.yaml"
    path.write_text(
        MINIMAL.replace("type: lens", "type: lens\n    model: ./clip\n    weights: w.bin")
        + "store: {uri: data}\n"
    )
    deployment = load(path)
    assert deployment.encoders["photo"].options["model"] == str(tmp_path / "clip")
    assert deployment.encoders["photo"].options["weights"] == tmp_path / "w.bin"
    assert deployment.store.uri == str(tmp_path / "data")


def test_a_server_uri_and_a_model_name_are_no_paths():
    text = MINIMAL.replace("type: lens", "type: lens\n    model: openai/clip")
    deployment = loads(text + "store: {uri: 'http://milvus:19530'}\n")
    assert deployment.store.uri == "http://milvus:19530"
    assert deployment.encoders["photo"].options["model"] == "openai/clip"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("encoders:", "encodrs:"), "deploy.yaml:2 (encodrs): unknown key 'encodrs'"),
        (("        encoder:", "        encodr:"), "deploy.yaml:9 (collections.items.fields.image."),
        (("        encoder:", "        encodr:"), "Did you mean 'encoder'?"),
        (("encoder: photo", "encoder: foto"), "Did you mean 'photo'?"),
        (("encoder: photo", "encoder: foto"), "deploy.yaml:9 (collections.items.fields.image.enc"),
        (("type: lens", "type: lnes"), "there is no encoder 'lnes'. Did you mean 'lens'?"),
        (("type: lens", "batch: 1"), "deploy.yaml:3 (encoders.photo): the key 'type' is missing"),
        (("type: lens", "type: lens\n    bach: 1"), "deploy.yaml:5 (encoders.photo.bach): unknown"),
        (("type: lens", "type: lens\n    bach: 1"), "Did you mean 'batch'?"),
        (("type: lens", "type: lens\n    batch: big"), "deploy.yaml:5 (encoders.photo.batch): inp"),
        (("type: lens", "type: 5"), "Put it in quotes."),
        (
            ("type: lens", "type: lens\n    model: 5"),
            "deploy.yaml:5 (encoders.photo.model): input should be a valid string. Put it",
        ),
        (("    type: lens\n", ""), "(encoders.photo): this is not a mapping of keys. Give it"),
        (("version: 1", "version: 1\nfusion: {candidtes: 5}"), "Did you mean 'candidates'?"),
        (("  photo:", "  1photo:"), "'1photo' cannot be a name"),
        (("version: 1", "version: 2"), "deploy.yaml:1 (version): input should be 1"),
        (("version: 1", "version: 1\nversion: 1"), "deploy.yaml:2 (version): the key is given twi"),
        (("version: 1", "version: 1\nplugins: {nosuch: {}}"), "there is no plugin 'nosuch'"),
        (
            ("version: 1", "version: 1\nsources: {a: {type: folder, path: x, collection: itms}}"),
            "deploy.yaml:2 (sources.a.collection): the file defines no collection 'itms'. Did you",
        ),
        (
            ("version: 1", "version: 1\nalignment: {type: identity, encoders: {image: fotos}}"),
            "deploy.yaml:2 (alignment.encoders.image): the file defines no encoder 'fotos'",
        ),
        (("version: 1", "version: !!python/object:os.system 1"), "tags (!) are not supported"),
        (("version: 1", "version: [1"), "deploy.yaml:2: this is not YAML"),
        (("version: 1", "? [a]\n: 1"), "a key must be a word"),
    ],
)
def test_an_error_has_file_line_path_and_advice(change, expected):
    assert MINIMAL.replace(*change) != MINIMAL
    assert expected in error_of(MINIMAL.replace(*change))


def test_one_line_says_how_many_more_errors_there_are(tmp_path):
    path = tmp_path / "deploy.yaml"
    path.write_text(MINIMAL.replace("lens", "lnes").replace("encoder: photo", "encoder: foto"))
    with pytest.raises(ConfigError, match=r"\(\+ 1 more: tiepoint config check .*deploy.yaml\)"):
        load(path)
    assert [str(error).partition(":")[2][:2] for error in check(path)] == ["4 ", "9 "]


def test_mistakes_of_the_file_and_of_its_components_are_all_reported_at_once(tmp_path):
    path = tmp_path / "deploy.yaml"
    path.write_text(
        MINIMAL.replace("type: lens", "type: uze")
        + "    metadata: {year: integer}\n"
        + "stroe: {uri: ./data}\n"
        + "sources:\n  a: {type: folder, path: ./a, recursiv: true}\n  b: 7\n"
        + "fusion: {type: wieghted}\n"
        + "plugins: {nowhere: {}}\n"
    )
    lines = [str(error) for error in check(path)]
    expected = [
        ":4 (encoders.photo.type)",
        ":10 (collections.items.metadata.year)",
        ":11 (stroe)",
        ":13 (sources.a.recursiv)",
        ":14 (sources.b)",
        ":15 (fusion.type)",
        ":16 (plugins.nowhere)",
    ]
    assert len(lines) == len(expected), lines
    for line, place in zip(lines, expected, strict=True):
        assert place in line


def test_a_secret_of_the_environment_is_not_repeated_in_errors():
    text = MINIMAL.replace("type: lens", "type: lens\n    batch: ${TOKEN}")
    assert "hunter2" not in error_of(text, environment={"TOKEN": "hunter2"})


@pytest.mark.parametrize(
    ("written", "environment", "value"),
    [
        ("${SIZE}", {"SIZE": "16"}, 16),
        ("${SIZE:-8}", {}, 8),
        ("${SIZE:-8}", {"SIZE": ""}, 8),
        ("1${SIZE}", {"SIZE": "6"}, 16),
    ],
)
def test_an_unquoted_variable_is_typed_after_its_expansion(written, environment, value):
    text = MINIMAL.replace("type: lens", f"type: lens\n    batch: {written}")
    options = loads(text, environment=environment).encoders["photo"].options
    assert options["batch"] == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"${SIZE}"', "16"),
        ("$${SIZE}", "${SIZE}"),
        ("a$b", "a$b"),
        ('"{${EVIL}}"', "{: [}"),
        ("${EVIL}", ": ["),
    ],
)
def test_a_variable_never_becomes_structure(written, value):
    text = MINIMAL.replace("type: lens", f"type: lens\n    model: {written}")
    deployment = loads(text, environment={"SIZE": "16", "EVIL": ": ["})
    assert deployment.encoders["photo"].options["model"] == value


def test_an_unset_variable_is_an_error_with_path_and_line():
    line = error_of(MINIMAL.replace("lens", "${LENS}"), environment={})
    assert line.startswith("deploy.yaml:4 (encoders.photo.type): the environment variable LENS is")
    assert "${LENS:-value}" in line


def test_words_that_old_yaml_took_for_booleans_stay_words():
    text = MINIMAL.replace("type: lens", "type: lens\n    model: no")
    assert loads(text).encoders["photo"].options["model"] == "no"


def test_merge_keys_give_defaults():
    text = MINIMAL.replace(
        "photo:\n    type: lens",
        "photo: &lens\n    type: lens\n    batch: 2\n  other:\n    <<: *lens\n    batch: 4",
    )
    encoders = loads(text).encoders
    assert (encoders["other"].type, encoders["other"].options["batch"]) == ("lens", 4)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
            for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: &a [*a]",
        "l0: &l0 {}\n"
        + "".join(f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 20)}]}}\n" for n in range(1, 9)),
        "a: &a {<<: *a}",
        "a: " + "[" * 2000,
        "a: " + "{b: " * 500,
    ],
    ids=["billion laughs", "loop", "merge bomb", "merge loop", "deep list", "deep mapping"],
)
def test_a_hostile_file_is_refused_at_once(text):
    assert "levels" in error_of(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"\xff\xfe\x00a", "not UTF-8"),
        (b"a: \x07", "this is not YAML"),
        (b"- 1", "not a mapping"),
        (b"version: 1\n---\nversion: 1", "this is not YAML"),
        (b"#" * 300_000, "300,000 bytes"),
    ],
)
def test_a_file_that_is_no_deployment_is_one_clear_line(tmp_path, content, reason):
    path = tmp_path / "deploy.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_input_errors(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="this is a folder"):
        load(tmp_path)


def test_checking_the_default_encoders_loads_no_model_library(tmp_path):
    path = tmp_path / "deploy.yaml"
    path.write_text(MINIMAL.replace("type: lens", "type: timm\n    preset: fast"))
    code = (
        "import sys; from tiepoint.config.loader import load; load(sys.argv[1])\n"
        "print(sorted({'torch', 'timm', 'transformers', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def every_property(schema: dict) -> list[tuple[str, dict]]:
    sections = [schema, *schema["$defs"].values()]
    return [pair for section in sections for pair in section.get("properties", {}).items()]


def test_the_schema_says_what_every_key_means():
    schema = deployment_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert "weighted" in schema["$defs"]["FusionSection"]["properties"]["type"]["examples"]
    for name, described in every_property(schema):
        assert described.get("title"), name
        assert described.get("description"), name
