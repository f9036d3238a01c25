"""Finding the words of a large catalog that a text comes near, without comparing it with each of them.

Words are known by their pairs of neighbouring characters, which works alike for Chinese, English and misspellings; a pair that
few words have tells more than one that many have. What is found is then compared properly, character by character.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def pairs(folded: str) -> set[str]:
    """The character pairs of a text, and its single Chinese characters, for words of one or two."""
    found = {a + b for a, b in pairwise(folded) if not (a.isspace() or b.isspace())}
    return found | {c for c in folded if not c.isascii()} | ({folded} if len(folded) == 1 else set())


@dataclass(frozen=True)
class WordIndex:
    """Which words have which pairs, and how much a pair tells."""

    postings: dict[str, NDArray[np.int64]]
    weight: dict[str, float]
    own: Floats

    @classmethod
    def of(cls, words: Sequence[str]) -> "WordIndex":
        """An index over folded words, known by their positions."""
        places: dict[str, list[int]] = {}
        cut = [pairs(word) for word in words]
        for place, found in enumerate(cut):
            for pair in found:
                places.setdefault(pair, []).append(place)
        weight = {pair: log(1 + len(words) / len(have)) for pair, have in places.items()}
        own = np.array([sum(weight[p] ** 2 for p in found) ** 0.5 or 1.0 for found in cut])
        return cls({p: np.array(have, np.int64) for p, have in places.items()}, weight, own)

    def near(self, folded: str, limit: int) -> list[tuple[int, float]]:
        """The words most like a text (cosine over pairs, 0..1), best first."""
        shared, whole = self._shared(folded)
        return _best(shared / (self.own * (whole or 1.0)), limit)

    def said_in(self, folded: str, limit: int) -> list[tuple[int, float]]:
        """The words that stand in a longer text, whole ones first, then those of which half is there; in each group the
        more telling ones first."""
        shared, _ = self._shared(folded)
        covered = shared / self.own**2
        telling = np.sqrt(shared)
        scores = np.where(covered >= 0.5, covered * telling, 0.0)
        return _best(np.where(covered > 0.999, telling + scores.max(initial=0.0), scores), limit)

    def _shared(self, folded: str) -> tuple[Floats, float]:
        known = [p for p in pairs(folded) if p in self.postings]
        shared = np.zeros(len(self.own))
        for pair in known:
            shared[self.postings[pair]] += self.weight[pair] ** 2
        return shared, float(sum(self.weight[p] ** 2 for p in known) ** 0.5)


def _best(scores: Floats, limit: int) -> list[tuple[int, float]]:
    top = np.argpartition(-scores, limit)[:limit] if limit < len(scores) else np.arange(len(scores))
    return sorted(((int(i), float(scores[i])) for i in top if scores[i] > 0), key=lambda found: (-found[1], found[0]))
