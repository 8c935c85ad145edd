"""Answers from a causal model in a folder: a tiny one, made from a config."""

from __future__ import annotations

import itertools

import pytest

from tiepoint import Host, Item
from tiepoint.answering.base import Prompt
from tiepoint.answering.transformers_model import TransformersAnswerer
from tiepoint.config.models import Deployment
from tiepoint.errors import AnswerError, ConfigError

SAID = "Shoes are leather [a]. Lamps look old [z]."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that says its sentences after `Answer:`: each word leads to the next one."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<unk>", "<eos>", "the", "Answer:", *SAID.split()]
    words += [f"<{number}>" for number in range(len(words) % 2)]
    made = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, "<unk>"))
    made.pre_tokenizer = WhitespaceSplit()
    special = {"unk_token": "<unk>", "eos_token": "<eos>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **special)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=len(words),
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=512,
        eos_token_id=1,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    chain = [words.index(word) for word in ["Answer:", *SAID.split(), "<eos>"]]
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "norm" not in name:
                weights.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(len(words)))
        for word, following in itertools.pairwise(chain):
            model.lm_head.weight[following, word] = 1.0
    path = tmp_path_factory.mktemp("model")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_a_local_model_answers_from_hits(folder, tmp_path):
    deployment = {
        "version": 1,
        "store": {"uri": str(tmp_path / "store")},
        "collections": {"items": {"fields": {"text": {"words": True}}}},
        "answer": {"type": "transformers", "model": str(folder), "max_tokens": 40, "hits": 1},
    }
    with Host(Deployment.model_validate(deployment)) as host:
        host.add([Item(id="a", text="a red shoe of leather")])
        answer = host.answer("What is it made of?", host.search(text="shoe"))
    assert answer.text == "Shoes are leather. [a]"
    assert answer.unknown == ("z",)


def test_a_prompt_beyond_the_models_room_is_told(folder):
    with pytest.raises(AnswerError, match="has room for 512"):
        TransformersAnswerer(folder).complete(Prompt("s", "word " * 400))


def test_an_answer_is_cut_off_in_time(folder):
    brief = TransformersAnswerer(folder, timeout_s=1e-9, max_tokens=200)
    assert len(brief.complete(Prompt("s", "Answer:")).split()) <= 2


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ConfigError, match="no language model in this folder"):
        TransformersAnswerer(tmp_path).complete(Prompt("s", "u"))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ConfigError, match="cannot be loaded"):
        TransformersAnswerer(tmp_path).complete(Prompt("s", "u"))
