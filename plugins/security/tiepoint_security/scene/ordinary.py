"""What a camera usually sees: looks of its own footage, by which everything is calibrated.

A look is taken in only after a quarantine in which its subject raised no alert, so that an
intruder does not become ordinary. The number that is kept is bounded: each look of the past
has the same chance to be among them (reservoir sampling: Vitter, 1985), and the newest are
kept beside them. Looks that somebody marked as false alarms are ordinary by word, and stay.
"""

from __future__ import annotations

import io
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint_security.learned_files import About, Tensors, read_learned, write_learned
from tiepoint_security.scene.look_table import LookTable, Usual

CAPACITY = 1000
QUARANTINE_S = 30.0
_EXAMPLES_SIDE = 96
_MOST_FALSE = 200
_RECENT = 64


class Ordinary:
    """The looks that one camera usually sees, of one kind (regions, or the whole picture).

    Args:
        fingerprint: Of the encoder and the joint space.
        capacity: How many are kept.
    """

    def __init__(self, fingerprint: str, capacity: int = CAPACITY) -> None:
        self.fingerprint = fingerprint
        self.capacity = capacity
        self.version = 0
        self._saved_version = 0
        self.seen = 0
        self.subjects = 0
        self.seconds = 0.0
        self._looks = LookTable(capacity + _MOST_FALSE)
        self._kept: list[int] = []
        self._false: deque[int] = deque()
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._waiting: deque[tuple[float, Usual]] = deque(maxlen=capacity)
        self._last_s: float | None = None
        self._chance = random.Random(0)  # noqa: S311 - which of equals is kept is no secret

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def own(self) -> NDArray[np.float32]:
        """The kept looks in the space of the encoder, (n, d); a view, which later looks change."""
        return self._looks.own

    @property
    def joint(self) -> NDArray[np.float32]:
        """The kept looks in the joint space, (n, k); k is 0 without one. A view."""
        return self._looks.joint

    @property
    def false_alarms(self) -> frozenset[str]:
        """The subjects that somebody marked as false alarms."""
        return frozenset(self._looks.subjects[row] for row in self._false)

    @property
    def waiting(self) -> int:
        """How many looks become ordinary soon, unless there is an alert about them."""
        return len(self._waiting)

    @property
    def changed(self) -> bool:
        """Whether there is something that was not saved."""
        return self.version != self._saved_version

    @property
    def subjects_per_hour(self) -> float:
        """How many subjects an hour of this camera's footage has."""
        return 3600 * self.subjects / max(self.seconds, 1.0)

    @property
    def looks_per_hour(self) -> float:
        """How many looks an hour of it has."""
        return 3600 * (self.seen + self.waiting) / max(self.seconds, 1.0)

    def offer(self, time_s: float, look: Usual) -> None:
        """Give a look that becomes ordinary unless its subject raises an alert soon.

        Args:
            time_s: The stream's time.
            look: The look.
        """
        self._waiting.append((time_s, look))

    def reject(self, subject: str) -> None:
        """Throw away what led up to an alert about a subject."""
        if any(look.subject == subject for _, look in self._waiting):
            left = [pair for pair in self._waiting if pair[1].subject != subject]
            self._waiting = deque(left, maxlen=self.capacity)

    def reject_all(self) -> None:
        """Throw away all that waits: an alert is about the scene as a whole."""
        self._waiting.clear()

    def step(self, time_s: float) -> None:
        """Let the stream's time pass."""
        if self._last_s is not None:
            self.seconds += min(max(time_s - self._last_s, 0.0), 5.0)
        self._last_s = time_s
        while self._waiting and time_s - self._waiting[0][0] >= QUARANTINE_S:
            self._take(self._waiting.popleft()[1])

    def settle(self) -> None:
        """Take in what is still in quarantine: the footage is over, and was ordinary."""
        while self._waiting:
            self._take(self._waiting.popleft()[1])

    def mark_false(self, look: Usual) -> None:
        """Take in a look that somebody marked as a false alarm, for good."""
        if len(self._false) < _MOST_FALSE:
            row = self._looks.append(look)
        else:
            row = self._false.popleft()
            self._looks.replace(row, look)
        self._false.append(row)
        self.version += 1

    def nearest(self, own: NDArray[np.float32], count: int) -> list[tuple[float, bytes]]:
        """Return cosine and thumbnail of the most similar looks of different subjects.

        Args:
            own: (d,) float32, of the encoder.
            count: How many at most.
        """
        if not len(self):
            return []
        looks = self._looks
        cosines = looks.own @ own
        found: dict[str, tuple[float, bytes]] = {}
        for row in np.argsort(-cosines):
            subject, thumbnail = looks.subjects[row], looks.thumbnails[row]
            if thumbnail and subject not in found:
                found[subject] = (float(cosines[row]), thumbnail)
            if len(found) == count:
                break
        return list(found.values())

    def distance(self, own: NDArray[np.float32]) -> float:
        """Return the cosine distance of a look to the nearest one, in [0, 2]; NaN without any."""
        return 1.0 - float((self.own @ own).max()) if len(self) else float("nan")

    def distances(self) -> NDArray[np.float64]:
        """Return the distance of each look to the nearest one of another subject, (n,)."""
        if not len(self):
            return np.zeros(0)
        names = np.array(self._looks.subjects)
        cosines = self.own @ self.own.T
        cosines[names[:, None] == names] = -2.0
        nearest = cosines.max(axis=1)
        return np.asarray(1.0 - nearest[nearest > -2.0], np.float64)

    def _take(self, look: Usual) -> None:
        self.seen += 1
        self.version += 1
        if look.subject not in self._recent:
            self.subjects += 1
            self._recent.append(look.subject)
        if len(self._kept) < self.capacity:
            self._kept.append(self._looks.append(look))
            return
        place = self._chance.randrange(self.seen)
        if place < self.capacity:
            self._looks.replace(self._kept[place], look)

    # On disk

    def save(self, file: Path) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        version = self.version
        looks, rows = self._looks, [*self._kept, *self._false]
        pictures = b"".join(looks.thumbnails[row] for row in rows)
        tensors: dict[str, NDArray[Any]] = {
            "own": looks.own[rows].astype(np.float16),
            "joint": looks.joint[rows].astype(np.float16),
            "thumbnails": np.frombuffer(pictures, np.uint8),
        }
        about = {
            "fingerprint": self.fingerprint,
            "kept": len(self._kept),
            "seen": self.seen,
            "counted_subjects": self.subjects,
            "seconds": self.seconds,
            "sizes": [len(looks.thumbnails[row]) for row in rows],
            "subjects": [looks.subjects[row] for row in rows],
        }
        write_learned(file, tensors, about)
        self._saved_version = version

    @classmethod
    def load(cls, file: Path, fingerprint: str, capacity: int = CAPACITY) -> Ordinary:
        """Read a saved one; one of another encoder begins anew.

        Raises:
            InputError: It is damaged.
        """
        made = cls(fingerprint, capacity)

        def fill(tensors: Tensors, about: About) -> None:
            if about["fingerprint"] != fingerprint:
                return
            pictures = io.BytesIO(tensors["thumbnails"].tobytes())
            looks = [
                Usual(own, joint, pictures.read(size), subject)
                for own, joint, size, subject in zip(
                    tensors["own"], tensors["joint"], about["sizes"], about["subjects"], strict=True
                )
            ]
            for look in looks[: min(about["kept"], capacity)]:
                made._kept.append(made._looks.append(look))
            for look in looks[about["kept"] :]:
                made.mark_false(look)
            made.seen, made.seconds = int(about["seen"]), float(about["seconds"])
            made.subjects = int(about["counted_subjects"])
            made.version = made._saved_version = 1

        read_learned(file, "what the camera usually sees", fill)
        return made


def usual(
    own: NDArray[np.float32],
    joint: NDArray[np.float32] | None,
    subject: str,
    thumbnail: Callable[[int], bytes] | None = None,
) -> Usual:
    """Return a look as it is kept.

    Args:
        own: (d,) of the encoder.
        joint: (k,) of the joint space, or None.
        subject: What it is a look at.
        thumbnail: Makes a JPEG of a side.
    """
    return Usual(
        own.astype(np.float16),
        np.zeros(0, np.float16) if joint is None else joint.astype(np.float16),
        b"" if thumbnail is None else thumbnail(_EXAMPLES_SIDE),
        subject,
    )
