"""Pictures through timm: presets on packaged weights, other networks from files."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tiepoint.encoders.base import Encoder
from tiepoint.encoders.timm_image import TimmEncoder
from tiepoint.encoders.timm_network import LITE0, LITE2, create_model
from tiepoint.errors import ConfigError, MissingDependencyError
from tiepoint.testing.encoder import EncoderConformance

TINY = "test_efficientnet"


def photograph(name: str) -> Path:
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "data" / name


PHOTOGRAPHS = [photograph(name) for name in ("chelsea.png", "coffee.png", "rocket.jpg")]


class TestFastPreset(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return TimmEncoder()

    def parts(self) -> Sequence[Any]:
        array = np.asarray(Image.open(PHOTOGRAPHS[0]))
        return [*PHOTOGRAPHS, str(photograph("retina.jpg")), array[:, ::-1]]

    def broken_parts(self) -> Sequence[Any]:
        return [b"", b"text", "/nowhere/a.jpg", 7, np.zeros((2, 2, 2), np.uint8)]


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"))


def resized(size: int) -> list[np.ndarray]:
    """The photographs as Pillow resizes them."""
    bicubic = Image.Resampling.BICUBIC
    return [
        np.asarray(Image.fromarray(pixels(file)).resize((size, size), bicubic))
        for file in PHOTOGRAPHS
    ]


def plain_torch(network: Any, flip: bool) -> np.ndarray:
    """The features as a plain loop over PIL pictures in torch computes them."""
    model = create_model(network.model, network.weights)
    x = torch.from_numpy(np.stack(resized(network.size))).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        pooled = model.forward_head(model.forward_features(x), pre_logits=True)
        if flip:
            pooled = pooled + model.forward_head(model.forward_features(x.flip(3)), pre_logits=True)
        return np.asarray(torch.nn.functional.normalize(pooled, dim=1))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(
        np.einsum("ij,ij->i", a, b) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    )


def test_fast_preset_equals_plain_timm() -> None:
    encoder = TimmEncoder(preset="fast")
    assert encoder.dim == 1280
    expected = plain_torch(LITE0, flip=False)
    assert cosines(encoder.encode(resized(224)), expected).min() >= 0.9999
    # The resizer rounds otherwise than Pillow's.
    given = [pixels(file) for file in PHOTOGRAPHS]
    assert cosines(encoder.encode(given), expected).min() > 0.999


def test_accurate_preset_is_two_mirrored_networks_of_equal_weight() -> None:
    encoder = TimmEncoder(preset="accurate")
    given = [pixels(file) for file in PHOTOGRAPHS]
    vectors = encoder.encode(given)
    assert encoder.dim == vectors.shape[1] == 2560
    np.testing.assert_allclose(np.linalg.norm(vectors[:, :1280], axis=1), np.sqrt(0.5), atol=1e-4)
    assert cosines(vectors[:, :1280], plain_torch(LITE0, flip=True)).min() > 0.999
    assert cosines(vectors[:, 1280:], plain_torch(LITE2, flip=True)).min() > 0.999
    mirrored = encoder.encode([picture[:, ::-1] for picture in given])
    assert cosines(vectors, mirrored).min() > 0.999


@pytest.mark.parametrize("preset", ["fast", "accurate"])
def test_classifier_knows_what_the_photographs_show(preset: str) -> None:
    encoder = TimmEncoder(preset=preset)
    classifier = encoder.classifier()
    assert classifier is not None
    assert len(classifier.labels) == 1000
    logits = encoder.encode(PHOTOGRAPHS) @ classifier.weight.T + classifier.bias
    best = [[classifier.labels[i] for i in row[:5]] for row in np.argsort(-logits, axis=1)]
    assert best[0][0] == "Egyptian cat"
    assert best[1][0] == "espresso"
    assert any("missile" in label for label in best[2])
    certain = np.exp(logits - logits.max(1, keepdims=True))
    assert (certain / certain.sum(1, keepdims=True)).max(1)[:2].min() > 0.5


def test_preset_is_known_and_later_processes_run_it_without_torch() -> None:
    TimmEncoder().warm_up()
    TimmEncoder().classifier()
    code = f"""
import sys
from tiepoint.encoders.timm_image import TimmEncoder
encoder = TimmEncoder()
assert encoder.fingerprint == {TimmEncoder().fingerprint!r} and encoder.dim == 1280
assert "openvino" not in sys.modules
encoder.encode([{str(PHOTOGRAPHS[0])!r}])
encoder.classifier()
assert "torch" not in sys.modules and "timm" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_fingerprint_tells_apart_whatever_changes_a_vector() -> None:
    package = {"model": LITE0.model, "weights": LITE0.weights}
    encoders = [
        TimmEncoder(),
        TimmEncoder(preset="accurate"),
        TimmEncoder(flip=True),
        TimmEncoder(**package, size=192),
        TimmEncoder(model=LITE2.model, weights=LITE2.weights),
    ]
    assert len({encoder.fingerprint for encoder in encoders}) == len(encoders)
    assert TimmEncoder(**package).fingerprint == TimmEncoder().fingerprint


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small timm network, saved in every form that is read."""
    import timm
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    model = timm.create_model(TINY, num_classes=7)
    save_file(model.state_dict(), folder / "weights.safetensors")
    torch.save({"state_dict": model.state_dict()}, folder / "weights.pth")
    (folder / "repository").mkdir()
    save_file(model.state_dict(), folder / "repository" / "model.safetensors")
    config = {"interpolation": "bilinear", "mean": [0.1, 0.2, 0.3], "input_size": [3, 96, 96]}
    (folder / "repository" / "config.json").write_text(
        json.dumps({"architecture": TINY, "num_classes": 7, "pretrained_cfg": config})
    )
    return folder


def test_weights_in_a_file_are_loaded_with_the_models_own_preprocessing(tiny: Path) -> None:
    import timm

    network = TimmEncoder(model=TINY, weights=str(tiny / "weights.pth")).networks[0]
    known = timm.get_pretrained_cfg(TINY)
    assert network.mean == tuple(known.mean)
    assert network.size == known.input_size[-1]
    assert network.num_classes == 7
    encoder = TimmEncoder(model=TINY, weights=str(tiny / "weights.safetensors"), size=64)
    model = create_model(TINY, str(tiny / "weights.pth"))
    random = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    x = torch.from_numpy(random).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor(known.mean).view(3, 1, 1)) / torch.tensor(known.std).view(3, 1, 1)
    with torch.inference_mode():
        expected = model.forward_head(model.forward_features(x), pre_logits=True).numpy()
    assert cosines(encoder.encode(list(random)), expected).min() > 0.9999
    assert encoder.classifier() is None


def test_repository_folder_names_its_model_and_preprocessing(tiny: Path) -> None:
    encoder = TimmEncoder(weights=str(tiny / "repository"))
    network = encoder.networks[0]
    assert (network.model, network.size, network.interpolation) == (TINY, 96, "bilinear")
    assert network.mean == (0.1, 0.2, 0.3)
    assert encoder.encode(PHOTOGRAPHS).shape == (3, encoder.dim)


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    file = tmp_path / "weights.pth"
    file.write_bytes(pickle.dumps({"state_dict": Trap()}))
    with pytest.raises(ConfigError, match=r"weights\.pth: the weights cannot be read"):
        _ = TimmEncoder(model=TINY, weights=str(file)).dim
    assert not (tmp_path / "ran").exists()


def test_wrong_options_are_one_clear_line(tiny: Path) -> None:
    file = str(tiny / "weights.pth")
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (ConfigError, {"preset": "best"}),
        (ConfigError, {"preset": "fast", "model": TINY}),
        (ConfigError, {"model": TINY}),
        (ConfigError, {"model": TINY, "weights": "nowhere.pth"}),
        (ConfigError, {"weights": file}),
        (ConfigError, {"model": "resnet_of_mine", "weights": file}),
        (ConfigError, {"model": "test_vit", "weights": file}),
        (ConfigError, {"model": TINY, "weights": "package:efficientnet-lite0"}),
        (MissingDependencyError, {"model": TINY, "weights": "package:efficientnet-lite7"}),
    ]
    for error, options in wrong:
        with pytest.raises(error) as caught:
            _ = TimmEncoder(**options).fingerprint
        assert "\n" not in str(caught.value)
