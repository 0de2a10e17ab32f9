"""Find heads that are on two sides of a split."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from ..errors import printable
from .findings import Finding, accept, reject
from .similarity import SAME_HEAD, Fingerprint, compute_similarity


class Match(NamedTuple):
    """The subject on another side of the split whose head is most similar.

    Args:
        similarity: The similarity of the two heads, from 0 to 1.
        name: The name of that subject; empty if there is none.
    """

    similarity: float = 0.0
    name: str = ""

    @property
    def is_duplicate(self) -> bool:
        """Return whether both subjects show the same head."""
        return self.similarity > SAME_HEAD

    def judge(self) -> Finding:
        """Return a finding that rejects a head that is already on another side of the split."""
        if not self.name:
            return accept()
        similarity = round(self.similarity, 4)
        most_similar = printable(self.name)
        if not self.is_duplicate:
            return accept(similarity=similarity, most_similar=most_similar)
        return reject(
            f"the same head as {self.name} on another side of the split"
            f" (similarity {self.similarity:.2f})",
            similarity=similarity,
            most_similar=most_similar,
        )


class SeenHeads:
    """The fingerprints of the subjects that have been checked, by the side of the split."""

    def __init__(self) -> None:
        self._sides: dict[str, list[tuple[str, Fingerprint]]] = defaultdict(list)

    def add(self, name: str, fingerprint: Fingerprint, side: str) -> None:
        """Remember the head of a subject."""
        self._sides[side].append((name, fingerprint))

    def find_match(self, fingerprint: Fingerprint, side: str) -> Match:
        """Return the most similar head that is not on ``side``."""
        best = Match()
        for other_side, heads in self._sides.items():
            # On the same side heads may be alike: a person can have several sessions.
            if other_side == side:
                continue
            for name, other in heads:
                best = max(best, Match(compute_similarity(fingerprint, other), name))
        return best
