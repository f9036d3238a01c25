"""Keyword relevance for mixed Chinese and English text: pairs of characters, words of English, weighed by BM25."""

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

_PIECE = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")
_ENDINGS = ("ings", "ing", "ies", "ed", "es", "s")
_STOP_EN = """
a an the of to for and or in on at by with who whom that this these those is are was were be been have has had do does
did i we our us me my you your it its they them their please can could would should will want need let make give get
some any all out up about what which how from into as if not no so than then just help
"""
_STOP = frozenset(_STOP_EN.split())
_STOP_ZH = frozenset("的了在是和与及或给把对们个这那我你他她吗呢吧啊请帮要想做来去有没就都也还很一下")


def terms(text: str) -> list[str]:
    """The terms of a text: `代发客户` gives 代发, 发客, 客户; `Payroll customers` gives payroll, customer."""
    found: list[str] = []
    for piece in _PIECE.findall(unicodedata.normalize("NFKC", text).casefold()):
        if piece[0] >= "\u3400":
            found += [a + b for a, b in itertools.pairwise(piece) if not {a, b} <= _STOP_ZH]
        elif piece not in _STOP:
            found.append(_stem(piece))
    return found


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


class Bm25:
    """Okapi BM25 over a fixed set of documents, expressed as a share of the query's weight.

    `score(q, d) = sum(idf(t) * tf' (t, d)) / sum(idf(t) * (k1 + 1))` over the query's distinct terms, where `tf'` is
    BM25's saturated, length-normalised term frequency; so 0 means nothing in common, and 1 is never exceeded. A term
    that no document has weighs like the rarest one: a query about something else stays low. Source: S. Robertson and
    H. Zaragoza, The Probabilistic Relevance Framework, 2009, with the +1 inside the logarithm that keeps idf positive.

    Args:
        documents: text by key.
        k1: how slowly repeated terms saturate.
        b: how much long documents are discounted, 0..1.
    """

    def __init__(self, documents: Mapping[str, str], k1: float = 1.2, b: float = 0.4) -> None:
        self._k1 = k1
        counts = {key: Counter(terms(text)) for key, text in documents.items()}
        mean = sum(sum(c.values()) for c in counts.values()) / max(len(counts), 1) or 1.0
        self._counts = counts
        self._norm = {key: k1 * (1 - b + b * sum(c.values()) / mean) for key, c in counts.items()}
        n = len(counts)
        seen = Counter(term for c in counts.values() for term in c)
        self._idf = {term: math.log(1 + (n - df + 0.5) / (df + 0.5)) for term, df in seen.items()}
        self._rarest = math.log(1 + (n + 0.5) / 0.5) if n else 0.0

    def scores(self, text: str) -> dict[str, float]:
        """Relevance 0..1 of every document."""
        query = sorted(set(terms(text)))
        full = sum(self._idf.get(term, self._rarest) for term in query) * (self._k1 + 1)
        if not full:
            return dict.fromkeys(self._counts, 0.0)
        return {
            key: sum(
                self._idf[term] * counts[term] * (self._k1 + 1) / (counts[term] + self._norm[key])
                for term in query
                if term in counts
            )
            / full
            for key, counts in self._counts.items()
        }
