"""Tiny transformers models with real tokenisers and processors, saved to disk."""

from __future__ import annotations

import io
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

CORPUS = [
    "a photo of a dog running on the grass",
    "two children play in the snow with a red ball",
    "instruct: find the picture that matches the words",
    "the quick brown fox jumps over the lazy dog, 1234567890",
]


def save_bert(folder: Path, **options: object) -> Path:
    """A BERT with a word-piece vocabulary of characters and a few words."""
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    words = sorted({word for line in CORPUS for word in line.replace(",", "").split()})
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    chinese = sorted(set("一只狗在草地上奔跑两个孩子玩雪红色的球照片"))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters)]
    vocabulary = list(dict.fromkeys([*tokens, *words, *chinese]))
    (folder / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        **options,
    )
    BertModel(config).eval().save_pretrained(folder)
    return folder


def save_qwen(folder: Path) -> Path:
    """A decoder-only embedder with a byte-level vocabulary that ends every text with a token."""
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2Model

    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    end = "<|end|>"
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, 0)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=end, eos_token=end
    ).save_pretrained(folder)
    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        max_position_embeddings=128,
        pad_token_id=0,
        architectures=["Qwen2Model"],
    )
    Qwen2Model(config).eval().save_pretrained(folder)
    return folder


def save_clip(folder: Path) -> Path:
    """A CLIP with a tiny byte-pair vocabulary."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    symbols = [*alphabet, *(f"{symbol}</w>" for symbol in alphabet)]
    merges = [("d", "o"), ("do", "g</w>"), ("c", "a"), ("ca", "t</w>")]
    symbols += [left + right for left, right in merges]
    vocabulary = {symbol: i for i, symbol in enumerate(symbols)}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    start, end = vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]
    CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=24).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)
    torch.manual_seed(2)
    config = CLIPConfig(
        text_config=_text_tower(
            len(vocabulary), 24, bos_token_id=start, eos_token_id=end, pad_token_id=end
        ),
        vision_config=_VISION,
        projection_dim=20,
    )
    CLIPModel(config).eval().save_pretrained(folder)
    return folder


def save_siglip(folder: Path) -> Path:
    """A SigLIP with a sentencepiece vocabulary trained here."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(_sentencepiece())
    SiglipTokenizer(
        vocab_file=str(folder / "spiece.model"), model_input_names=["input_ids"]
    ).save_pretrained(folder)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    torch.manual_seed(3)
    config = SiglipConfig(text_config=_text_tower(120, 16), vision_config=_VISION)
    SiglipModel(config).eval().save_pretrained(folder)
    return folder


def save_siglip2(folder: Path) -> Path:
    """A SigLIP 2 for free aspect ratios, with a byte-pair vocabulary of its kind."""
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model, Siglip2Tokenizer

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *letters, *"0123456789,.:"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    Siglip2Tokenizer(
        vocab=vocabulary, merges=[], model_input_names=["input_ids"], padding_side="right"
    ).save_pretrained(folder)
    Siglip2ImageProcessor(patch_size=8, max_num_patches=20).save_pretrained(folder)
    torch.manual_seed(4)
    vision = {key: value for key, value in _VISION.items() if key != "image_size"}
    config = Siglip2Config(
        text_config=_text_tower(len(vocabulary), 16), vision_config={**vision, "num_patches": 16}
    )
    Siglip2Model(config).eval().save_pretrained(folder)
    return folder


def save_chinese_clip(folder: Path) -> Path:
    """A Chinese-CLIP with a BERT vocabulary that has Chinese characters."""
    from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessor, ChineseCLIPModel

    save_bert(folder)
    (folder / "model.safetensors").unlink()
    words = len((folder / "vocab.txt").read_text("utf-8").splitlines())
    ChineseCLIPImageProcessor(
        size={"height": 32, "width": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)
    torch.manual_seed(5)
    config = ChineseCLIPConfig(
        text_config=_text_tower(words, 24), vision_config=_VISION, projection_dim=20
    )
    ChineseCLIPModel(config).eval().save_pretrained(folder)
    return folder


_VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}


def _text_tower(words: int, positions: int, **options: int) -> dict[str, int]:
    return {
        "vocab_size": words,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": positions,
        **options,
    }


def _sentencepiece() -> bytes:
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 20),
        model_writer=model,
        vocab_size=60,
        model_type="unigram",
        pad_id=-1,
        bos_id=-1,
        eos_id=1,
        unk_id=0,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def write_pooling(folder: Path, **modes: bool) -> None:
    """Write the pooling as sentence-transformers does."""
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes), "utf-8")


def save_wav2vec2(folder: Path) -> Path:
    """A wav2vec 2.0 of two layers at 16 kHz."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    torch.manual_seed(6)
    config = Wav2Vec2Config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        conv_dim=(16, 16, 16),
        conv_stride=(5, 4, 4),
        conv_kernel=(10, 8, 4),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
    )
    Wav2Vec2Model(config).eval().save_pretrained(folder)
    return folder


def save_whisper(folder: Path) -> Path:
    """A Whisper of two layers; its encoder is what embeds."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    WhisperFeatureExtractor().save_pretrained(folder)
    torch.manual_seed(7)
    config = WhisperConfig(
        d_model=32,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        vocab_size=60,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    WhisperModel(config).eval().save_pretrained(folder)
    return folder
