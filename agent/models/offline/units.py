"""Text as units: one Chinese character, one English word (lightly stemmed), one number, one mark each.

Folding is NFKC and case, so that full-width forms compare equal; every unit remembers where it stands in the original
text. Chinese needs no word borders: the lexicon is matched on sequences of units.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent.models.offline.data import irregular

UnitKind = Literal["han", "word", "number", "mark", "quote"]

_TOKEN = re.compile(
    r"(?P<quote>`[^`]+`|“[^”]+”|\"[^\"]+\"|「[^」]+」|『[^』]+』|‘[^’]+’(?![^\W\d_㐀-鿿])|(?<![^\W_㐀-鿿])'[^']+'(?![^\W\d_㐀-鿿]))"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_㐀-鿿]+(?:['’][^\W\d_㐀-鿿]+)*)"
    r"|(?P<han>[㐀-鿿])"
    r"|(?P<mark>>=|<=|!=|<>|[^\s])"
)
_JOINER = re.compile(r"(?<=[^\W\d_㐀-鿿])[-_](?=[^\W\d_㐀-鿿])")


@dataclass(frozen=True, slots=True)
class Unit:
    """`text` is the folded, stemmed form that is matched; `start` and `end` are offsets in the original text."""

    text: str
    kind: UnitKind
    start: int
    end: int
    exact: str = ""
    """An English word as it was written, folded: `balanced` is a risk profile, `balance` is not."""


def _fold(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the offset of the original one."""
    if text.isascii():
        return text.casefold(), list(range(len(text)))
    folded: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        for piece in _folded(character):
            folded.append(piece)
            offsets.append(offset)
    return "".join(folded), offsets


@lru_cache(maxsize=16_384)
def _folded(character: str) -> str:
    return unicodedata.normalize("NFKC", character).casefold()


def units(text: str) -> list[Unit]:
    """Split a text into units.

    Hyphens and underscores inside a word separate it (`hold-out` is `hold out`), `didn't` is `did not`.
    """
    folded, offsets = _fold(text)
    folded = _JOINER.sub(" ", folded)
    found: list[Unit] = []
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup
        start, end = offsets[match.start()], offsets[match.end() - 1] + 1
        piece = match.group()
        if kind == "word":
            found.extend(Unit(stem(part), "word", start, end, part) for part in _parts(piece))
        elif kind == "number":
            found.append(Unit(piece.replace(",", ""), "number", start, end))
        elif kind == "quote":
            found.append(Unit(text[start:end], "quote", start, end))
        elif kind == "han":
            found.append(Unit(piece, "han", start, end))
        else:
            found.append(Unit(piece, "mark", start, end))
    return found


def _parts(word: str) -> list[str]:
    word = word.replace("’", "'")
    if word in ("can't", "cant"):
        return ["can", "not"]
    if word in ("won't", "wont"):
        return ["will", "not"]
    if word.endswith("n't"):
        return [word[:-3], "not"]
    if word in ("dont", "didnt", "doesnt", "havent", "hasnt", "isnt", "arent", "wasnt"):
        return [word[:-2], "not"]
    head, apostrophe, tail = word.partition("'")
    if not apostrophe:
        return [word]
    if tail == "s" and head in ("what", "how", "that", "it", "let", "who"):
        return [head, "is"]
    if tail in ("s", ""):
        return [head]
    return [head, f"'{tail}"]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A crude common form: both the lexicon and the request pass through it, so only sameness matters.

    `matures`, `matured`, `maturing` → `matur`; `bought` → `buy`; `cities`, `city` → `citi`.
    """
    listed = irregular().get(word)
    if listed == word:
        return word
    word = listed or word
    if len(word) <= 3 or not word.isascii():
        return word
    for ending in ("ing", "ed", "es", "s"):
        if not word.endswith(ending):
            continue
        if ending == "s" and word.endswith(("ss", "us", "is")):
            break
        if ending == "es" and not word.endswith(("ches", "shes", "sses", "xes", "zes", "ses")):
            continue
        base = word[: -len(ending)]
        if len(base) < 3 or not re.search(r"[aeiouy]", base):
            continue
        if ending in ("ing", "ed") and len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
            base = base[:-1]
        word = base
        break
    if word.endswith("ie"):
        return word[:-2] + "i"
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 2 and word.endswith("y") and word[-2] not in "aeiou":
        word = word[:-1] + "i"
    return word
