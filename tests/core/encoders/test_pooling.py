from __future__ import annotations

import pytest
import torch

from tiepoint.encoders.pooling import (
    first_token_pooling,
    last_token_pooling,
    mean_pooling,
    pooling_of_model,
)
from tiepoint.errors import ConfigError

STATES = torch.arange(24, dtype=torch.float32).reshape(2, 4, 3)
RIGHT_PADDED = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
LEFT_PADDED = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])


def test_mean_leaves_padding_out() -> None:
    expected = torch.stack([STATES[0, :2].mean(0), STATES[1].mean(0)])
    assert torch.equal(mean_pooling(STATES, RIGHT_PADDED), expected)


@pytest.mark.parametrize(("mask", "last"), [(RIGHT_PADDED, 1), (LEFT_PADDED, 3)])
def test_last_token_is_found_on_either_side_of_padding(mask: torch.Tensor, last: int) -> None:
    expected = torch.stack([STATES[0, last], STATES[1, 3]])
    assert torch.equal(last_token_pooling(STATES, mask), expected)


@pytest.mark.parametrize(("mask", "first"), [(RIGHT_PADDED, 0), (LEFT_PADDED, 2)])
def test_first_token_is_found_on_either_side_of_padding(mask: torch.Tensor, first: int) -> None:
    expected = torch.stack([STATES[0, first], STATES[1, 0]])
    assert torch.equal(first_token_pooling(STATES, mask), expected)


@pytest.mark.parametrize(
    ("config", "stated", "expected"),
    [
        ({"model_type": "bert"}, None, "mean"),
        ({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}, None, "last"),
        ({"model_type": "bert"}, {"pooling_mode_cls_token": True}, "cls"),
        ({"model_type": "bert"}, {"pooling_mode": "lasttoken"}, "last"),
        ({"model_type": "qwen2"}, {"pooling_mode_mean_tokens": True}, "mean"),
    ],
)
def test_what_the_model_states_goes_before_what_its_kind_suggests(
    config: dict[str, object], stated: dict[str, object] | None, expected: str
) -> None:
    assert pooling_of_model(config, stated) == expected


def test_a_pooling_that_is_not_offered_is_refused() -> None:
    with pytest.raises(ConfigError, match="not offered"):
        pooling_of_model({"model_type": "bert"}, {"pooling_mode_max_tokens": True})
