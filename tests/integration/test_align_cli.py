"""`tiepoint align` on pairs of small pictures and texts, through the command's own entrance."""

from __future__ import annotations

import hashlib
import json
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.integration.pair_encoders import (
    MeanPixels,
    WordCounts,
    register,
    write_deployment,
    write_pairs,
)
from tests.waiting import until
from tiepoint import Host, Item
from tiepoint.cli.main import main


@pytest.fixture(autouse=True)
def small_components(tmp_path, monkeypatch):
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    undo = register()
    yield
    undo()


@pytest.fixture
def pairs(tmp_path):
    """150 pictures with two texts each."""
    return write_pairs(tmp_path)


@pytest.fixture
def config(tmp_path):
    return write_deployment(tmp_path)


@pytest.fixture
def run(pairs, config, tmp_path, capsys):
    """Run `tiepoint align`; returns exit code, stdout and stderr."""

    def call(command, *words, encoders=("--config", config)):
        given = ["align", command, "--pairs", pairs, "--root", tmp_path, *encoders, *words]
        code = main([str(word) for word in given])
        out = capsys.readouterr()
        return code, out.out, out.err

    return call


def fit(run, out, *words, method="ridge"):
    return run("fit", "--val", "val", "--method", method, "--out", out, *words)


def changed_sha(folder):
    card = json.loads((folder / "aligner.json").read_text())
    content = (folder / "aligner.safetensors").read_bytes()
    return card["sha256"] != hashlib.sha256(content).hexdigest()


def test_a_fitted_aligner_is_replaced_with_force_only(run, tmp_path):
    out = tmp_path / "mine"
    assert fit(run, out)[0] == 0
    kept = (out / "aligner.json").read_bytes()
    one_line(fit(run, out, method="cca"), "holds a fit already", "--force")
    assert (out / "aligner.json").read_bytes() == kept
    assert fit(run, out, "--force", method="cca")[0] == 0
    assert json.loads((out / "aligner.json").read_text())["method"] == "cca"


def test_a_fit_that_was_cut_short_over_another_one_goes_on(run, tmp_path):
    out = tmp_path / "mine"
    assert fit(run, out)[0] == 0
    (out / "checkpoint").mkdir()
    assert fit(run, out, method="cca")[0] == 0


def test_what_was_fitted_is_evaluated_by_its_folder_alone(run, tmp_path):
    code, out, _ = fit(run, tmp_path / "mine")
    assert code == 0
    assert "type: saved" in out
    words = ("--split", "val", "--aligner", tmp_path / "mine", "--json", tmp_path / "f.json")
    code, _, err = run("eval", *words, "--scores", tmp_path / "s.npz", encoders=())
    assert code == 0, err
    figures = json.loads((tmp_path / "f.json").read_text())
    assert (figures["n_images"], figures["n_texts"]) == (50, 100)
    assert figures["rsum"] > 150
    ranks = np.load(tmp_path / "s.npz")
    again = [
        100 * np.mean(ranks[name] < k) for name in ("i2t_rank", "t2i_rank") for k in (1, 5, 10)
    ]
    assert figures["rsum"] == pytest.approx(sum(again))
    assert figures["rsum_interval"][0] < figures["rsum"] < figures["rsum_interval"][1]


def test_a_collection_gives_the_figures_of_the_evaluation(run, pairs, config, tmp_path):
    assert fit(run, tmp_path / "mine", "--set", "hubness.kind=nnn")[0] == 0
    words = ("--split", "val", "--lang", "en", "--aligner", tmp_path / "mine")
    run("eval", *words, "--scores", tmp_path / "s.npz")
    deployed = config.read_text().replace("type: ridge", "type: saved, path: ./mine")
    config.write_text(deployed)
    ranks = np.load(tmp_path / "s.npz")
    with Host.from_config(config) as host:
        names = ranks["images"].tolist()
        host.add([Item(id=name, image=str(tmp_path / name)) for name in names])
        probabilities = []
        for row in range(10):
            hits = host.search(text=str(ranks["texts"][row]), k=50)
            assert [hit.id for hit in hits].index(names[row]) == ranks["t2i_rank"][row]
            probabilities.append(hits[0].probability)
        assert all(0 <= p <= 1 for p in probabilities)


def test_a_second_fit_encodes_nothing(run, tmp_path):
    fit(run, tmp_path / "a")
    before = MeanPixels.encoded
    fit(run, tmp_path / "b", method="cca")
    assert MeanPixels.encoded == before


def test_views_of_images_are_encoded_once(run, tmp_path):
    words = ("--set", "augment.count=2", "--set", "epochs=2")
    before = MeanPixels.encoded
    code, _, err = fit(run, tmp_path / "a", *words, method="contrastive")
    assert code == 0, err
    assert MeanPixels.encoded == before + 150 + 2 * 100, "validation images have no views"
    code, out, err = fit(run, tmp_path / "b", *words, "--json", method="contrastive")
    assert MeanPixels.encoded == before + 150 + 2 * 100
    assert json.loads(out)["options"]["augment"]["count"] == 2


def test_equal_seeds_make_equal_files(run, tmp_path):
    for name in ("a", "b"):
        fit(run, tmp_path / name, "--set", "hubness.kind=csls", method="asif")
    one, other = ((tmp_path / name / "aligner.safetensors").read_bytes() for name in ("a", "b"))
    assert one == other


def test_tuning_is_not_worse_than_the_options_it_starts_from(run, tmp_path):
    plain = json.loads(fit(run, tmp_path / "a", "--json")[1])
    code, out, err = fit(run, tmp_path / "b", "--tune", "4", "--json")
    assert code == 0, err
    assert "trial 4 of 4" in err
    assert json.loads(out)["metrics"]["val"]["rsum"] >= plain["metrics"]["val"]["rsum"]


def logged_fit(run, out, *words):
    """Fit heads for three epochs with a log; returns the validation figure of the best epoch."""
    code, text, err = fit(run, out, "--set", "epochs=3", "--json", *words, method="contrastive")
    assert code == 0, err
    assert "step 3 of 3" in err
    return json.loads(text)["metrics"]["val"]["rsum"]


def test_steps_are_logged_for_tensorboard(run, tmp_path):
    pytest.importorskip("tensorboard", reason="an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logged_fit(run, tmp_path / "a", "--tensorboard", tmp_path / "log")
    events = EventAccumulator(str(tmp_path / "log")).Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "scale", "val/rsum"}
    assert [event.step for event in events.Scalars("val/rsum")] == [1, 2, 3]
    losses = [event.value for event in events.Scalars("loss")]
    assert losses == sorted(losses, reverse=True)


def test_steps_are_logged_for_weights_and_biases(run, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="an extra")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for name in ("WANDB_DIR", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    logged_fit(run, tmp_path / "a", "--wandb", "alignment")
    (log,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    until(lambda: log.read_bytes().count(b"val/rsum") >= 3)  # another process writes it
    assert b"alignment" in log.read_bytes()


@pytest.mark.parametrize("package", ["tensorboard", "wandb"])
def test_a_log_whose_package_is_absent_is_told_how_to_install_it(
    run, tmp_path, monkeypatch, package
):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    before = MeanPixels.encoded
    result = fit(run, tmp_path / "x", f"--{package}", tmp_path / "log", method="contrastive")
    one_line(result, f"the package {package} is not installed", f"tiepoint[{package}]")
    assert MeanPixels.encoded == before


class References(HTMLParser):
    """Collects tags, and what they refer to."""

    def __init__(self):
        super().__init__()
        self.tags, self.sources = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]


def test_inspection_writes_one_page_that_needs_nothing_else(run, tmp_path):
    fit(run, tmp_path / "mine")
    words = ("--aligner", tmp_path / "mine", "--html", tmp_path / "p.html", "--json")
    code, _, err = run("inspect", *words, tmp_path / "f.json")
    assert code == 0, err
    page = References()
    page.feed((tmp_path / "p.html").read_text())
    assert "script" not in page.tags
    assert page.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    found = json.loads((tmp_path / "f.json").read_text())
    assert set(found["class_recall"]) == {"class0", "class1", "class2"}
    assert set(found["calibration"]) == {"text->image", "image->text"}
    assert 0 <= found["geometry"]["modality_gap"] <= 2
    assert found["confusions"][0]["margin"] >= found["confusions"][-1]["margin"] > 0


def one_line(result, *parts):
    code, _, err = result
    assert code == 2
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    for part in parts:
        assert part in last


def test_a_split_that_does_not_exist_is_named_with_those_that_do(run, tmp_path):
    one_line(run("fit", "--split", "trian", "--out", tmp_path / "x"), "'trian'", "train (200)")
    one_line(run("fit", "--lang", "fr", "--out", tmp_path / "x"), "fr", "en (100)")


def test_a_method_that_does_not_learn_or_wrong_options_are_refused_at_once(run, tmp_path):
    before = MeanPixels.encoded
    one_line(fit(run, tmp_path / "x", method="identity"), "does not learn")
    one_line(fit(run, tmp_path / "x", "--set", "regularisation=-1"), "regularisation")
    one_line(fit(run, tmp_path / "x", "--set", "nonsense"), "NAME=VALUE")
    assert MeanPixels.encoded == before


def test_images_that_do_not_decode_are_skipped_and_summarised(run, tmp_path):
    (tmp_path / "images" / "3.png").write_bytes(b"not a picture")
    (tmp_path / "images" / "4.png").unlink()
    code, out, err = fit(run, tmp_path / "x", "--json")
    assert code == 0
    assert "3.png" in err
    assert json.loads(out)["skipped"] == 2
    assert json.loads(out)["pairs"] == 196
    one_line(fit(run, tmp_path / "y", "--strict"), "3.png")


def test_captions_without_any_image_are_an_error(run, tmp_path):
    for picture in (tmp_path / "images").iterdir():
        picture.unlink()
    one_line(fit(run, tmp_path / "x"), "none of the 200 pairs", "--root")


def test_a_validation_split_that_overlaps_is_warned_of_with_its_count(run, pairs, tmp_path):
    text = pairs.read_text("utf-8").replace("images/149.png", "images/0.png")
    pairs.write_text(text, "utf-8")
    code, _, err = fit(run, tmp_path / "x")
    assert code == 0
    assert "1 images of the split 'val' are in 'train'" in err


def test_one_repeated_pair_is_refused(run, pairs, tmp_path):
    header, first, *_ = pairs.read_text("utf-8").splitlines()
    pairs.write_text("\n".join([header, *[first] * 50]), "utf-8")
    one_line(run("fit", "--method", "cca", "--out", tmp_path / "x"), "50 pairs have the same")


def test_few_pairs_are_warned_of_and_a_single_one_is_refused(run, pairs, tmp_path):
    header, *lines = pairs.read_text("utf-8").splitlines()
    pairs.write_text("\n".join([header, *lines[:20]]), "utf-8")
    code, _, err = run("fit", "--method", "cca", "--out", tmp_path / "x")
    assert code == 0
    assert "warning: 20 pairs are fewer than the 48 dimensions" in err.splitlines()[-1]
    pairs.write_text("\n".join([header, lines[0]]), "utf-8")
    one_line(run("fit", "--method", "cca", "--out", tmp_path / "y"), "one pair only")


def test_features_that_are_not_finite_are_refused(run, tmp_path, monkeypatch):
    plain = WordCounts.infer

    def broken(self, prepared, modality=None):
        vectors = plain(self, prepared, modality)
        vectors[1, 3] = np.nan
        return vectors

    monkeypatch.setattr(WordCounts, "infer", broken)
    one_line(fit(run, tmp_path / "x"), "text vectors hold NaN or infinity", "row")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_encoded(run, tmp_path):
    before = MeanPixels.encoded
    (tmp_path / "file").touch()
    one_line(fit(run, tmp_path / "file"), "file", "cannot be written")
    one_line(fit(run, tmp_path / "file" / "x"), "file", "cannot be written")
    assert MeanPixels.encoded == before


def test_a_result_that_cannot_be_written_is_told_in_one_line(run, tmp_path):
    assert fit(run, tmp_path / "mine")[0] == 0
    words = ("--split", "val", "--aligner", tmp_path / "mine")
    one_line(run("eval", *words, "--json", tmp_path), "is a directory")
    for command, option in (("eval", "--scores"), ("inspect", "--html")):
        one_line(run(command, *words, option, tmp_path), "cannot be written")


def test_an_aligner_for_other_encoders_is_refused(run, tmp_path, monkeypatch):
    fit(run, tmp_path / "mine")
    monkeypatch.setattr(WordCounts, "fingerprint", "word-counts-2")
    one_line(run("eval", "--split", "val", "--aligner", tmp_path / "mine"), "word-counts-2")


def test_a_card_that_was_cut_short_is_refused(run, tmp_path):
    fit(run, tmp_path / "mine")
    card = tmp_path / "mine" / "aligner.json"
    card.write_bytes(card.read_bytes()[:100])
    words = ("--split", "val", "--aligner", tmp_path / "mine")
    one_line(run("eval", *words), str(card), "not the card of a fitted aligner")


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_truncated_or_tampered_tensors_are_refused(run, tmp_path, damage):
    fit(run, tmp_path / "mine")
    file = tmp_path / "mine" / "aligner.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    assert changed_sha(tmp_path / "mine")
    one_line(run("eval", "--split", "val", "--aligner", tmp_path / "mine"), "SHA-256")


def test_a_deployment_that_names_a_method_instead_of_a_fit_is_told_what_to_do(run):
    one_line(run("eval", "--split", "val"), "was not fitted", "type: saved")


def test_lines_without_a_partner_are_left_out_or_learned_from(run, pairs, tmp_path):
    lines = pairs.read_text("utf-8").splitlines()
    loose = []
    for number, line in enumerate(lines[1:201]):
        image, text, rest = line.split(",", 2)
        if number >= 80:
            loose.append(f"{image},,{rest}" if number % 2 else f",{text},{rest}")
        else:
            loose.append(line)
    pairs.write_text("\n".join([lines[0], *loose, *lines[201:]]), "utf-8")
    code, out, err = fit(run, tmp_path / "a", "--json")
    assert code == 0
    assert "120 lines have no text or no image" in err
    assert json.loads(out)["pairs"] == 80
    code, out, err = fit(run, tmp_path / "b", "--json", method="semi-supervised")
    assert code == 0, err
    assert "lines have no" not in err
    card = json.loads((tmp_path / "b" / "aligner.json").read_text())
    assert card["data"] == {**card["data"], "pairs": 80, "rows": {"image": 100, "text": 140}}
