"""Contrastive losses over a batch of similarities with any number of positives."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(cosines, positives, scale, bias) to a scalar; the scale and the bias are learned."""


def info_nce(cosines: Tensor, positives: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Return the mean over positives of their cross-entropy against all negatives, both ways.

    A positive does not compete with the other positives of its row or column, so several
    captions of one picture may be in a batch (van den Oord et al., 1807.03748).

    Args:
        cosines: (n, m) similarities.
        positives: (n, m) bool, at least one in each row and each column.
        scale: The inverse temperature.
        bias: Not used: a softmax is blind to it.
    """
    logits = cosines * scale
    rows, columns = positives.nonzero(as_tuple=True)
    negatives = logits.masked_fill(positives, -torch.inf)
    right = logits[rows, columns]
    of_row = functional.softplus(negatives.logsumexp(1)[rows] - right).mean()
    of_column = functional.softplus(negatives.logsumexp(0)[columns] - right).mean()
    return (of_row + of_column) / 2


def sigmoid(cosines: Tensor, positives: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Return the binary cross-entropy of every pair, per row (Zhai et al., 2303.15343)."""
    logits = cosines * scale + bias
    signs = positives * 2.0 - 1.0
    return functional.softplus(-signs * logits).sum() / len(cosines)


def hinge(cosines: Tensor, positives: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Return the hinge of every positive against its hardest negative (VSE++, 1707.05612)."""
    margin = 0.2
    rows, columns = positives.nonzero(as_tuple=True)
    negatives = cosines.masked_fill(positives, -torch.inf)
    right = cosines[rows, columns]
    of_row = functional.relu(margin + negatives.amax(1)[rows] - right).mean()
    of_column = functional.relu(margin + negatives.amax(0)[columns] - right).mean()
    return of_row + of_column


LOSSES: dict[str, Loss] = {"infonce": info_nce, "sigmoid": sigmoid, "hinge": hinge}
