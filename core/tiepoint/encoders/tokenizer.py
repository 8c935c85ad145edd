"""A model's own tokeniser, run by the fast `tokenizers` library alone."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tiepoint.encoders.runtimes.stored import StoredModel
from tiepoint.encoders.sources import ModelFiles, loading_errors
from tiepoint.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FILE = "tokenizer.json"


class FastTokenizer:
    """Texts to token ids, with the model's special tokens, cut at a length.

    What transformers makes of the model's files is kept in the cache, so that it is imported
    once a model and not in every process.

    Args:
        files: The model.
        max_length: Most tokens of a text.

    Raises:
        ConfigError: The model has no fast tokeniser.
    """

    def __init__(self, files: ModelFiles, max_length: int) -> None:
        self._tokenizer = _load(files)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)
        self.padding_id = int(files.config.get("pad_token_id") or 0)

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the (length,) int64 token ids of one text. Thread-safe."""
        return np.array(self._tokenizer.encode(text).ids, np.int64)


def _load(files: ModelFiles) -> Tokenizer:
    from tokenizers import Tokenizer

    stored = StoredModel(f"tokenizer|{files.digest}|transformers {version('transformers')}")
    folder = stored.find() or stored.write(lambda empty: _convert(files, empty / _FILE))
    return Tokenizer.from_file(str(folder / _FILE))


def _convert(files: ModelFiles, file: Path) -> None:
    """Write the tokeniser as transformers sets it up, in the format of `tokenizers`."""
    from transformers import AutoTokenizer

    with loading_errors(files, "tokeniser"):
        tokenizer = AutoTokenizer.from_pretrained(
            files.folder, local_files_only=True, trust_remote_code=False
        )
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            f"the model's tokeniser ({type(tokenizer).__name__}) has no fast form",
            where=str(files.folder),
            hint="Save it with a tokenizer.json.",
        )
    file.write_text(backend.to_str(), "utf-8")
