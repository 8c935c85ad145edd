"""Answers from a causal language model in a local folder."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from tiepoint.answering.base import Answerer, Prompt
from tiepoint.errors import AnswerError, ConfigError


class TransformersAnswerer(Answerer):
    """A model that `transformers` saved: config, tokeniser and safetensors.

    Nothing is fetched, and no code of the folder is run. The likeliest words are taken, so the
    same question on the same hits has the same answer.

    Args:
        model: The folder.
        timeout_s: After how many seconds the answer is cut off.
        max_tokens: How long an answer may be, in tokens.
    """

    def __init__(
        self,
        model: Path,
        timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0,
        max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 256,
    ) -> None:
        self.folder = Path(model)
        self.timeout_s = timeout_s
        self.max_tokens = max_tokens
        self._turn = threading.Lock()

    def complete(self, prompt: Prompt) -> str:
        import torch

        with self._turn:
            model, tokenizer = self._loaded
            tokens = self._tokens(tokenizer, prompt)
            room = getattr(model.config, "max_position_embeddings", None)
            if room is not None and tokens.shape[1] + self.max_tokens > room:
                raise AnswerError(
                    f"the hits take {tokens.shape[1]} tokens and the answer {self.max_tokens}, the"
                    f" model has room for {room}",
                    where=str(self.folder),
                    hint="Lower answer.hits or answer.max_tokens.",
                )
            with torch.inference_mode():
                said = model.generate(
                    tokens,
                    attention_mask=torch.ones_like(tokens),
                    max_new_tokens=self.max_tokens,
                    max_time=self.timeout_s,
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0,
                )
            text: str = tokenizer.decode(said[0, tokens.shape[1] :], skip_special_tokens=True)
            return text

    @staticmethod
    def _tokens(tokenizer: Any, prompt: Prompt) -> Any:
        if tokenizer.chat_template is None:
            return tokenizer(f"{prompt.system}\n\n{prompt.user}", return_tensors="pt").input_ids
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ]
        return tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).input_ids

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        if not (self.folder / "config.json").is_file():
            raise ConfigError(
                "there is no language model in this folder",
                where=str(self.folder),
                hint="Give a folder that transformers' `save_pretrained` wrote.",
            )
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            model = AutoModelForCausalLM.from_pretrained(
                self.folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
            tokenizer = AutoTokenizer.from_pretrained(
                self.folder, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"the language model cannot be loaded ({error!s:.200})",
                where=str(self.folder),
                hint="Give a causal model of transformers with safetensors and its tokeniser.",
            ) from error
        return model.eval(), tokenizer
