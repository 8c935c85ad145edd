"""LoRA of a tiny joint model, through the command: it learns, is deployed, and goes on."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from contextlib import redirect_stdout

import numpy as np
import pytest
from PIL import Image

from tests.core.encoders import tiny_models
from tiepoint import Host, Item
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.lora import LoraAligner
from tiepoint.alignment.pairs import PairSet
from tiepoint.cli.main import main
from tiepoint.encoders.joint import JointEncoder
from tiepoint.errors import ConfigError, FingerprintError, InputError

pytest.importorskip("peft", reason="an extra")

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "white": (240, 240, 240),
    "black": (15, 15, 15),
}
DEPLOYMENT = """\
version: 1
encoders: {{clip: {{type: joint, model: ./clip{adapter}}}}}
alignment: {{{aligner}, encoders: {{image: clip, text: clip}}}}
store: {{uri: ./{store}}}
collections: {{items: {{fields: {{image: {{encoder: clip}}, text: {{encoder: clip}}}}}}}}
"""
SETTINGS = {"rank": 4, "epochs": 8, "batch": 25, "learning_rate": 0.02, "patience": 12}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of one colour above another, with a tiny CLIP that was never trained."""
    root = tmp_path_factory.mktemp("lora")
    tiny_models.save_clip(root / "clip")
    random = np.random.default_rng(0)
    (root / "images").mkdir()
    with (root / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "text", "split"])
        for copy in range(6):
            for upper, first in COLOURS.items():
                for lower, second in COLOURS.items():
                    pixels = np.repeat([first, second], 16 * 32, axis=0).reshape(32, 32, 3)
                    noisy = np.clip(pixels + random.normal(0, 25, pixels.shape), 0, 255)
                    name = f"images/{copy}-{upper}-{lower}.png"
                    Image.fromarray(noisy.astype(np.uint8)).save(root / name)
                    split = "val" if copy == 5 else "train"
                    writer.writerow([name, f"{upper} above {lower}", split])
    write_deployment(root / "base.yaml", aligner="type: identity")
    return root


def write_deployment(path, aligner, adapter=""):
    text = DEPLOYMENT.format(aligner=aligner, adapter=adapter, store=f"store-{path.stem}")
    path.write_text(text, "utf-8")


def align(folder, command, *words, config="base.yaml"):
    given = ["align", command, "--pairs", folder / "pairs.csv", *words]
    if config:
        given += ["--config", folder / config]
    return main([str(word) for word in given])


@pytest.fixture(scope="module")
def fitted(folder):
    """The folder that the command wrote, and its report."""
    words = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    out = folder / "tuned"
    with redirect_stdout(io.StringIO()) as printed:
        code = align(folder, "fit", "--method=lora", "--val=val", "--out", out, "--json", *words)
    assert code == 0
    return out, json.loads(printed.getvalue())


def test_it_learns_pairs_that_the_untuned_model_cannot_match(folder, fitted):
    out, report = fitted
    chance = 2 * 100 * (1 + 5 + 10) / 25
    assert report["metrics"]["untuned"]["rsum"] < 1.5 * chance
    assert report["metrics"]["val"]["rsum"] > 3.5 * chance
    assert align(folder, "eval", "--split=val", "--aligner", out, config=None) == 0
    card = json.loads((out / "adapter.json").read_text())
    assert card["base"] == JointEncoder(str(folder / "clip")).fingerprint
    assert card["metrics"]["untuned"] == report["metrics"]["untuned"]
    assert not [path for path in out.iterdir() if path.suffix not in (".json", ".safetensors")]


@pytest.mark.usefixtures("fitted")
def test_a_deployment_finds_with_it_what_the_evaluation_finds(folder):
    write_deployment(folder / "tuned.yaml", "type: saved, path: ./tuned", ", adapter: ./tuned")
    words = ("--split=val", "--scores", folder / "ranks.npz")
    assert align(folder, "eval", *words, config="tuned.yaml") == 0
    ranks = np.load(folder / "ranks.npz")
    with Host.from_config(folder / "tuned.yaml") as host:
        names = ranks["images"].tolist()
        host.add([Item(id=name, image=str(folder / name)) for name in names])
        for text, image, rank in zip(ranks["texts"], names, ranks["t2i_rank"], strict=True):
            hits = host.search(text=str(text), k=25)
            assert [hit.id for hit in hits].index(image) == rank


def test_merged_and_unmerged_give_the_same_vectors(folder, fitted):
    import torch
    from peft import PeftModel

    from tiepoint.encoders.joint_network import ImageTower, TextTower

    out, _ = fitted
    base, tuned = (
        JointEncoder(str(folder / "clip")),
        JointEncoder(str(folder / "clip"), adapter=out),
    )
    unmerged = PeftModel.from_pretrained(base.network(), out).eval()
    for modality, tower, parts in (
        ("image", ImageTower(unmerged), sorted((folder / "images").iterdir())[:8]),
        ("text", TextTower(unmerged), ["red above blue", "white above black", "green"]),
    ):
        inputs = base.batch([base.prepare(part, modality) for part in parts], modality)
        with torch.inference_mode():
            expected = tower(**{name: torch.from_numpy(x) for name, x in inputs.items()}).numpy()
        served = tuned.encode(parts, modality)
        np.testing.assert_allclose(served, expected, atol=1e-4)
        assert np.abs(served - base.encode(parts, modality)).max() > 0.01


def test_the_fingerprint_names_the_adapter(folder, fitted):
    base, tuned = (
        JointEncoder(str(folder / "clip"), adapter=adapter).fingerprint
        for adapter in (None, fitted[0])
    )
    assert tuned.startswith(f"{base}/lora-")


def test_an_adapter_of_another_model_is_refused(folder, fitted, tmp_path, capsys):
    shutil.copytree(folder / "clip", tmp_path / "clip")
    config = json.loads((tmp_path / "clip" / "config.json").read_text())
    (tmp_path / "clip" / "config.json").write_text(json.dumps({**config, "note": "another"}))
    other = JointEncoder(str(tmp_path / "clip"), adapter=fitted[0])
    with pytest.raises(FingerprintError, match="the adapter was trained for the encoder"):
        other.encode(["red"], "text")


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:-1] + b"!", None])
def test_a_damaged_adapter_is_refused_in_one_line(folder, fitted, tmp_path, name, damage, capsys):
    shutil.copytree(fitted[0], tmp_path / "tuned")
    path = tmp_path / "tuned" / name
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    words = ("--split=val", "--aligner", tmp_path / "tuned")
    assert align(folder, "eval", *words, config=None) == 2
    lines = capsys.readouterr().err.splitlines()
    assert str(path) in lines[-1]


def test_an_aligner_is_evaluated_where_it_was_copied_to(folder, fitted, tmp_path):
    shutil.copytree(fitted[0], tmp_path / "copy")
    assert align(folder, "eval", "--split=val", "--aligner", tmp_path / "copy", config=None) == 0


def test_encoders_that_cannot_be_trained_are_refused_in_one_line(folder, fitted, tmp_path, capsys):
    words = ("--method=lora", "--out", tmp_path / "x")
    write_deployment(folder / "twice.yaml", "type: identity", ", adapter: ./tuned")
    assert align(folder, "fit", *words, config="twice.yaml") == 2
    assert "has an adapter already" in capsys.readouterr().err.splitlines()[-1]
    assert align(folder, "fit", *words, "--preset=fast", config=None) == 2
    assert "one joint model" in capsys.readouterr().err.splitlines()[-1]


def test_the_package_that_is_absent_is_named_before_anything_is_encoded(
    folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "peft", None)
    assert align(folder, "fit", "--method=lora", "--out", tmp_path / "x") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "tiepoint[lora]" in line


def encoded(folder, split):
    """The pairs of a split as the untuned model encodes them."""
    with (folder / "pairs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    encoder = JointEncoder(str(folder / "clip"))
    names = {key: tuple(row[key] for row in rows) for key in ("image", "text")}
    vectors = {
        "image": encoder.encode([folder / name for name in names["image"]], "image"),
        "text": encoder.encode(names["text"], "text"),
    }
    links = np.stack([np.arange(len(rows))] * 2, 1)
    return {"image": encoder, "text": encoder}, PairSet(vectors, links, names=names)


class KillError(Exception):
    pass


def test_training_goes_on_after_a_kill_as_if_nothing_happened(folder, tmp_path):
    encoders, pairs = encoded(folder, "train")
    _, val = encoded(folder, "val")
    options = {**SETTINGS, "epochs": 4, "augment": {"flip": False}, "dropout": 0.1}

    def killer(step):
        if step.done == 3:
            raise KillError

    def train(name, **settings):
        told = FitSettings(seed=5, **settings)
        aligner = LoraAligner(encoders, **options)
        aligner.trained_encoders(pairs, val, folder, tmp_path / name, told)
        return (tmp_path / name / "adapter_model.safetensors").read_bytes()

    whole = train("whole")
    with pytest.raises(KillError):
        train("resumed", progress=killer, checkpoint=tmp_path / "state")
    seen = []
    resumed = train(
        "resumed", progress=lambda step: seen.append(step.done), checkpoint=tmp_path / "state"
    )
    assert seen[0] == 3
    assert resumed == whole
    assert (tmp_path / "state" / "training.safetensors").stat().st_size < 10 * len(whole)


def test_training_stops_early(folder, tmp_path):
    encoders, pairs = encoded(folder, "train")
    _, val = encoded(folder, "val")
    options = {**SETTINGS, "epochs": 30, "learning_rate": 1e-9, "patience": 2}
    steps = []
    settings = FitSettings(progress=lambda step: steps.append(step.done))
    LoraAligner(encoders, **options).trained_encoders(pairs, val, folder, tmp_path, settings)
    assert len(steps) < 10


@pytest.mark.parametrize("kind", ["siglip", "siglip2", "chinese_clip"])
def test_every_kind_of_joint_model_can_be_trained(folder, tmp_path, kind):
    model = getattr(tiny_models, f"save_{kind}")(tmp_path / kind)
    _, pairs = encoded(folder, "val")
    encoder = JointEncoder(str(model), device="torch:cpu")
    losses = []
    settings = FitSettings(progress=lambda step: losses.append(step.metrics["loss"]))
    aligner = LoraAligner({"image": encoder, "text": encoder}, **{**SETTINGS, "epochs": 6})
    trained = aligner.trained_encoders(pairs, None, folder, tmp_path / "out", settings)
    assert losses[-1] < losses[0]
    assert trained["image"].encode(["red above blue"], "text").shape == (1, encoder.dim)


def test_one_repeated_pair_is_refused_before_training(folder, tmp_path):
    encoders, pairs = encoded(folder, "val")
    repeated = PairSet(pairs.vectors, np.zeros((9, 2), np.int64), names=pairs.names)
    with pytest.raises(InputError, match="all 9 pairs have the same image"):
        LoraAligner(encoders).trained_encoders(repeated, None, folder, tmp_path, FitSettings())


def test_vectors_of_an_untrained_model_are_no_input(folder):
    encoders, pairs = encoded(folder, "val")
    with pytest.raises(ConfigError, match="has no adapter"):
        LoraAligner(encoders).fit(pairs)
