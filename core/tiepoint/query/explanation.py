"""What made a score, in words."""

from __future__ import annotations

from collections.abc import Sequence

from tiepoint.types import Contribution


def explanation(contributions: Sequence[Contribution]) -> str:
    """Say in words what made a score.

    >>> explanation([Contribution("text->image", 0.31, 4.0, 0.5, 2.0)])
    'text->image: similarity 0.310, standardised 4.00 x weight 0.5 = 2.000'
    """
    return "; ".join(
        f"{c.route}: similarity {c.similarity:.3f}, standardised {c.standardised:.2f}"
        f" x weight {c.weight:g} = {c.value:.3f}"
        for c in contributions
    )
