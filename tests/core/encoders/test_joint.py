from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.core.encoders import tiny_models
from tiepoint.encoders.joint import JointEncoder
from tiepoint.errors import ConfigError, DecodeError, SchemaError
from tiepoint.testing.encoder import EncoderConformance

TEXTS = ["a photo of a dog", "two cats", "一只狗在草地上"]
KINDS: dict[str, Callable[[Path], Path]] = {
    "clip": tiny_models.save_clip,
    "siglip": tiny_models.save_siglip,
    "siglip2": tiny_models.save_siglip2,
    "chinese_clip": tiny_models.save_chinese_clip,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: save(tmp_path_factory.mktemp(kind)) for kind, save in KINDS.items()}


def pictures() -> list[Image.Image]:
    generator = np.random.default_rng(0)
    blocks = [generator.integers(0, 255, (4, 6, 3), np.uint8) for _ in range(3)]
    sizes = [(90, 60), (50, 120), (64, 64)]
    return [
        Image.fromarray(block).resize(size, Image.Resampling.BICUBIC)
        for block, size in zip(blocks, sizes, strict=True)
    ]


def own_outputs(folder: Path, kind: str) -> Any:
    """Return what transformers itself makes of all texts and pictures."""
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    padding: dict[str, Any] = {"padding": True}
    if kind.startswith("siglip"):
        padding = {"padding": "max_length", "max_length": 16}
    tokens = AutoTokenizer.from_pretrained(folder)(
        TEXTS, return_tensors="pt", truncation=True, **padding
    )
    pixels = AutoImageProcessor.from_pretrained(folder)(images=pictures(), return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**tokens, **pixels)
        logits = outputs.logits_per_image - getattr(model, "logit_bias", 0)
        return (logits / model.logit_scale.exp()).numpy(), outputs


@pytest.mark.parametrize("kind", KINDS)
def test_cosines_are_the_models_own_logits(kind: str, folders: dict[str, Path]) -> None:
    encoder = JointEncoder(str(folders[kind]))
    images, texts = encoder.encode(pictures(), "image"), encoder.encode(TEXTS, "text")
    logits, outputs = own_outputs(folders[kind], kind)
    assert images.shape == texts.shape == (3, encoder.dim)
    np.testing.assert_allclose(images @ texts.T, logits, atol=1e-4)
    assert (images * outputs.image_embeds.numpy()).sum(1).min() >= 0.9999
    assert (texts * outputs.text_embeds.numpy()).sum(1).min() >= 0.9999
    # Else a model that says the same of everything would pass.
    assert logits.std() > 1e-3


def test_vectors_do_not_depend_on_the_rest_of_the_batch(folders: dict[str, Path]) -> None:
    for kind, folder in folders.items():
        encoder = JointEncoder(str(folder))
        for modality, parts in (("image", pictures()), ("text", TEXTS)):
            alone = np.concatenate([encoder.encode([part], modality) for part in parts])
            np.testing.assert_allclose(
                encoder.encode(parts, modality), alone, atol=1e-4, err_msg=kind
            )


def test_pictures_are_turned_upright_by_their_exif(folders: dict[str, Path]) -> None:
    encoder = JointEncoder(str(folders["clip"]))
    upright = pictures()[0]
    lying = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it rotated by 90 degrees clockwise
    upright.rotate(90, expand=True).save(lying, "PNG", exif=exif)
    np.testing.assert_allclose(
        encoder.encode([lying.getvalue()]), encoder.encode([upright]), atol=1e-5
    )


def test_texts_beyond_the_models_length_are_cut(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        vectors = JointEncoder(str(folder)).encode(["a dog " * 300], "text")
        np.testing.assert_allclose(np.linalg.norm(vectors), 1, atol=1e-5)


def test_image_and_text_share_one_fingerprint_that_names_the_weights(
    folders: dict[str, Path],
) -> None:
    fingerprints = {JointEncoder(str(folder)).fingerprint for folder in folders.values()}
    assert len(fingerprints) == len(folders)


def test_bad_parts_and_modalities_are_refused(folders: dict[str, Path]) -> None:
    encoder = JointEncoder(str(folders["clip"]))
    with pytest.raises(DecodeError):
        encoder.encode([b"no picture"], "image")
    with pytest.raises(DecodeError):
        encoder.encode([""], "text")
    with pytest.raises(SchemaError):
        encoder.encode(["x"], "audio")


def test_a_text_model_is_no_joint_model(tmp_path: Path) -> None:
    folder = tiny_models.save_bert(tmp_path / "bert")
    with pytest.raises(ConfigError, match="no joint model"):
        _ = JointEncoder(str(folder)).dim


class TestClip(EncoderConformance):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def clip(cls, folders: dict[str, Path]) -> None:
        cls.folder = folders["clip"]

    def make_encoder(self) -> JointEncoder:
        return JointEncoder(str(self.folder))

    def parts(self) -> list[Image.Image]:
        return pictures()

    def broken_parts(self) -> list[object]:
        return [b"", b"no picture", "no/such/file.jpg", 7]

    folder: Path
