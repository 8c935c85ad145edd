"""What a score means, learned by asking an archive's cases of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiepoint.errors import InputError
from tiepoint.fusion.calibration import MatchProbability

if TYPE_CHECKING:
    from tiepoint_medical.matching.matcher import Matcher

_FEWEST = 60


def calibrated(matcher: Matcher, most: int, seed: int) -> MatchProbability:
    """Ask with the reports of archived cases, each without its own patient.

    The first hit is right if it states a finding that the asking report states, and contradicts
    none.

    Args:
        matcher: Of the archive.
        most: How many cases ask.
        seed: Of which.

    Raises:
        InputError: Fewer than 60 cases have a report with findings.
    """
    collection = matcher.collection
    ids = collection.ids()
    drawn = np.random.default_rng(seed).permutation(len(ids))
    scores: list[float] = []
    right: list[bool] = []
    for which in drawn.tolist():
        if len(scores) >= most:
            break
        metadata, parts = collection.get([ids[which]])[ids[which]]
        text, present = parts.get("report"), metadata.get("present")
        if not isinstance(text, str) or not present:
            continue
        found = matcher.match(text=text, patient=str(metadata["patient"]), k=1)
        if found.hits:
            first = found.hits[0]
            scores.append(first.score)
            stated = {key for key, status in found.query.items() if status == "present"}
            right.append(bool(stated & set(first.present)) and not first.contradicts)
    if len(scores) < _FEWEST:
        raise InputError(
            f"only {len(scores)} cases have a report with findings",
            hint=f"Ingest at least {_FEWEST} from several patients.",
        )
    return MatchProbability.fit(scores, scores, [len(ids)] * len(scores), right, kind="platt")
