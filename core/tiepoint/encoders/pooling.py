"""Pooling: one vector from a transformer's token states, without its padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tiepoint.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

PoolingName: TypeAlias = Literal["mean", "cls", "last"]


def mean_pooling(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the states that the mask keeps.

    Args:
        states: (n, length, width) float32.
        mask: (n, length), 1 for a token and 0 for padding.

    Returns:
        (n, width) float32.
    """
    kept = mask.unsqueeze(-1).to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1e-9)


def first_token_pooling(states: Tensor, mask: Tensor) -> Tensor:
    """Return the state of the first token that is not padding, on whichever side padding is."""
    return _token(states, mask.to(states.dtype).argmax(dim=1))


def last_token_pooling(states: Tensor, mask: Tensor) -> Tensor:
    """Return the state of the last token that is not padding, on whichever side padding is.

    The pooling of decoder-only embedders: causal attention lets only the last token see all.
    """
    after = mask.to(states.dtype).flip(1).argmax(dim=1)
    return _token(states, mask.shape[1] - 1 - after)


def _token(states: Tensor, position: Tensor) -> Tensor:
    index = position.reshape(-1, 1, 1).expand(-1, 1, states.shape[-1])
    return states.gather(1, index).squeeze(1)


POOLINGS: dict[PoolingName, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": mean_pooling,
    "cls": first_token_pooling,
    "last": last_token_pooling,
}


def pooling_of_model(config: dict[str, Any], pooling_config: dict[str, Any] | None) -> PoolingName:
    """Return the pooling that a model was trained with.

    Args:
        config: Its `config.json`.
        pooling_config: Its sentence-transformers `1_Pooling/config.json`, where it has one.

    Returns:
        What `1_Pooling` says; else the last token for decoder-only models, else the mean.

    Raises:
        ConfigError: A pooling that is not offered.

    >>> pooling_of_model({"architectures": ["Qwen2ForCausalLM"]}, None)
    'last'
    """
    if pooling_config is None:
        architectures = " ".join(config.get("architectures") or ())
        decoder = "ForCausalLM" in architectures or config.get("model_type") in _DECODERS
        return "last" if decoder else "mean"
    modes = [
        mode
        for mode, old_key in _OLD_KEYS.items()
        if pooling_config.get("pooling_mode") == mode or pooling_config.get(old_key)
    ]
    if len(modes) != 1 or modes[0] not in _OURS:
        raise ConfigError(
            f"the model states a pooling that is not offered: {pooling_config}",
            hint=f"Give `pooling` as one of {', '.join(POOLINGS)} if that is right for the model.",
        )
    return _OURS[modes[0]]


_OURS: dict[str, PoolingName] = {"mean": "mean", "cls": "cls", "lasttoken": "last"}
_OLD_KEYS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
_DECODERS = frozenset(
    ("falcon", "gemma", "gemma2", "gpt2", "gpt_neox", "llama", "mistral", "mixtral", "olmo",
     "opt", "phi", "phi3", "qwen2", "qwen3", "starcoder2")
)  # fmt: skip
