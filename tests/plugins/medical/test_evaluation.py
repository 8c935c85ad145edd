"""The retrieval protocol: who is asked, what may answer, and that nothing leaks."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.command_line import tiepoint
from tiepoint.encoders.base import Encoder, Vectors
from tiepoint.types import IMAGE, TEXT
from tiepoint_medical.encoders.tones import TonesEncoder
from tiepoint_medical.evaluation.cases import Case
from tiepoint_medical.evaluation.codes import CodePredictor
from tiepoint_medical.evaluation.features import Features
from tiepoint_medical.evaluation.protocol import evaluate_folds, evaluate_held_out
from tiepoint_medical.evaluation.retrieval import Candidate, Query, precision, rank
from tiepoint_medical.evaluation.routes import FINDINGS, ROUTES, FittedRoutes, folds_of


class SmallImages(Encoder):
    """Stands for the encoder of vectors that are given."""

    modalities = (IMAGE,)
    dim = 16
    fingerprint = "small-images"

    def prepare(self, part: Any, modality: str | None = None) -> Any:
        return part

    def infer(self, prepared: Sequence[Any], modality: str | None = None) -> Vectors:
        return np.stack(prepared)


class SmallTexts(SmallImages):
    modalities = (TEXT,)
    fingerprint = "small-texts"


NOTES = {
    "Pneumonia": "Consolidation in the right lower lobe, pneumonia. Case {}.",
    "Effusion": "Large left pleural effusion, blunting of the angle. Case {}.",
    "todo": "Nothing was coded for this one. Case {}.",
}


def cases(folder: Path, patients: range) -> Path:
    """Write pictures whose look follows their label, and their table."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(3)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image", "clinical_notes", "finding", "patientid"])
        for patient in patients:
            label = list(NOTES)[patient % 3]
            pixels = rng.normal(90, 12, (64, 64))
            if label == "Pneumonia":
                pixels[::6] += 120
            if label == "Effusion":
                pixels[40:, 40:] += 140
            name = f"{patient:03d}.png"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / name)
            table.writerow([name, NOTES[label].format(patient), label, f"p{patient}"])
    return folder / "metadata.csv"


def table(metadata: Path) -> tuple[str, ...]:
    return ("--metadata", str(metadata), "--root", str(metadata.parent))


@pytest.mark.slow
def test_eval_by_folds_and_on_other_patients(tmp_path: Path) -> None:
    given, other = cases(tmp_path / "a", range(24)), cases(tmp_path / "b", range(30, 48))
    figures, scores = tmp_path / "out.json", tmp_path / "scores.csv"
    outputs = ("--json", str(figures), "--scores", str(scores))
    done = tiepoint("medical", "eval", *table(given), "--folds", "3", *outputs)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    assert (found["n_images"], found["n_texts"], found["n_labels"]) == (16, 16, 2)
    for direction in ("image-text", "text-image"):
        assert found[direction]["P@5"] > found[direction]["chance"]
        assert found[direction]["P@5_interval"][0] <= found[direction]["P@5"]
    rows = list(csv.DictReader(scores.open()))
    assert {row["direction"] for row in rows} == {"image-text", "text-image"}
    assert all(row["query"] != row["candidate"] for row in rows)
    assert [row["rank"] for row in rows[:10]] == [str(n) for n in range(1, 11)]
    fit = ("--fit-metadata", str(given), "--fit-root", str(given.parent))
    assert tiepoint("medical", "eval", *table(other), *fit, *outputs).returncode == 0
    assert json.loads(figures.read_text())["fitted_on"] == 24


def synthetic(patients: int) -> Features:
    """Cases whose images and reports point where their label does, with noise."""
    rng = np.random.default_rng(5)
    labels = ["a", "b", None]
    made, vectors = [], []
    for number in range(patients):
        label = labels[number % 3]
        name = f"{number}.png"
        made.append(Case(name, Path(name), f"report {number}", label, f"p{number}"))
        vectors.append(np.eye(3, 16)[number % 3] + rng.normal(0, 0.3, 16))
    x = np.array(vectors, np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Features(tuple(made), x, x[:, ::-1].copy(), np.ones((patients, 4), np.float32))


def test_tones_tell_apart_what_the_look_does_not() -> None:
    encoders = {IMAGE: SmallImages(), TEXT: SmallTexts()}
    features = synthetic(36)
    noise = np.random.default_rng(2).normal(0, 0.25, features.images.shape).astype(np.float32)
    tones = np.array([np.eye(3, 4)[row % 3] for row in range(36)], np.float32)
    blind = evaluate_folds(encoders, replace(features, images=noise), 3)
    seeing = evaluate_folds(encoders, replace(features, images=noise, tones=tones), 3)
    assert seeing.figures["image-text"]["P@5"] > blind.figures["image-text"]["P@5"] + 0.2


def test_a_case_without_a_telling_report_is_found_by_its_patients_other_report() -> None:
    encoders = {IMAGE: SmallImages(), TEXT: SmallTexts()}
    features = synthetic(36)
    said_nothing = Case("mute.png", Path("mute.png"), "report mute", "a", "p0")
    noise = np.random.default_rng(1).normal(0, 1, (1, 16)).astype(np.float32)
    extended = Features(
        (*features.cases, said_nothing),
        np.vstack([features.images, noise / 9]),
        np.vstack([features.texts, noise / 9]),
        np.vstack([features.tones, features.tones[:1]]),
    )
    by_image, _ = FittedRoutes(encoders, extended, np.arange(12, 36)).compare(
        np.array([3]), np.array([0, 1, 36])
    )
    assert by_image[FINDINGS][0, 2] > by_image[FINDINGS][0, 1]


def test_cases_are_found_by_report_and_image_together_better_than_by_the_other_alone() -> None:
    encoders = {IMAGE: SmallImages(), TEXT: SmallTexts()}
    features = synthetic(60)
    noise = np.random.default_rng(4).normal(0, 0.5, features.images.shape).astype(np.float32)
    figures = evaluate_folds(encoders, replace(features, images=noise), 3).figures
    by_report = figures["text-image"]["archive_unseen"]
    assert set(by_report["routes"]) == set(ROUTES)
    assert by_report["routes"]["text-text"] > by_report["across"] + 0.1
    assert by_report["P@5"] > by_report["across"] + 0.1


def test_tones_are_the_shares_of_grey_values() -> None:
    tones = TonesEncoder()
    dark, bright = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)
    half = np.concatenate([dark, bright])
    vectors = tones.encode([dark, bright, half])
    assert vectors.shape == (3, tones.dim)
    assert vectors[0] @ vectors[1] == 0
    assert vectors[0] @ vectors[2] == pytest.approx(np.sqrt(0.5))


def test_related_cases_are_found_and_the_protocol_is_kept() -> None:
    encoders = {IMAGE: SmallImages(), TEXT: SmallTexts()}
    found = evaluate_folds(encoders, synthetic(36), 3)
    assert (found.figures["n_images"], found.figures["n_labels"]) == (24, 2)
    for direction, ranking in found.rankings.items():
        figure = found.figures[direction]
        assert figure["P@5"] > figure["chance"] + 0.2
        assert figure["archive_unseen"]["P@5"] > figure["chance"] + 0.1
        for query, order in zip(ranking.queries, ranking.order, strict=True):
            assert all(ranking.candidates[which].groups != query.groups for which in order)


def test_held_out_patients_are_scored_by_what_the_others_taught() -> None:
    encoders = {IMAGE: SmallImages(), TEXT: SmallTexts()}
    found = evaluate_held_out(encoders, synthetic(36), np.arange(21))
    assert found.figures["fitted_on"] == 21
    assert found.figures["n_images"] == 10
    assert found.figures["image-text"]["P@5"] > found.figures["image-text"]["chance"]


def test_the_same_patient_in_both_tables_is_refused(tmp_path: Path) -> None:
    given, other = cases(tmp_path / "a", range(24)), cases(tmp_path / "b", range(20, 44))
    fit = ("--fit-metadata", str(given), "--fit-root", str(given.parent))
    failed = tiepoint("medical", "eval", *table(other), *fit)
    assert failed.returncode == 2
    assert "patients are in both tables" in failed.stderr


def test_precision_counts_other_patients_only() -> None:
    queries = [Query("a", "x", frozenset({"1"}), 0)]
    candidates = [
        Candidate("a", "x", frozenset({"1"}), (0,)),
        Candidate("b", "y", frozenset({"2"}), (1,)),
        Candidate("c", "x", frozenset({"3"}), (2,)),
    ]
    routes = {"r": np.array([[9.0, 1.0, 2.0]] * 3, np.float32)}
    ranking = rank(queries, candidates, routes, {"r": 1.0})
    assert [candidates[which].name for which in ranking.order[0]] == ["c", "b"]
    figure = precision(ranking)
    assert (figure.value, figure.chance, figure.ceiling) == pytest.approx((0.2, 0.5, 0.2))


def test_a_patient_is_in_one_fold_only() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "d"])
    fold = folds_of(groups, 3, seed=1)
    assert fold[0] == fold[2]
    assert fold[1] == fold[4]
    assert set(fold) == {0, 1, 2}


def test_codes_are_learned_and_rare_ones_are_not_drowned() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.3, (60, 8))
    x[:6, 0] += 1
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels: list[str | None] = ["rare"] * 6 + ["common"] * 50 + [None] * 4
    predictor = CodePredictor(x.astype(np.float32), labels)
    query = np.eye(1, 8, dtype=np.float32)
    assert predictor.names[int(predictor.predict(query).argmax())] == "rare"
    assert np.isnan(predictor.codes_of([None, "never seen"])).all()
