"""Words of time, and what they rest on: the clock and the data cut-off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from agent.models.offline.data import calendar
from agent.models.offline.units import Unit, units

Words = tuple[tuple[tuple[str, ...], str], ...]


@dataclass(frozen=True, slots=True)
class Today:
    """What the calendar words rest on."""

    now: datetime
    as_of: datetime
    zone: ZoneInfo

    @property
    def day(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def data_day(self) -> date:
        return self.as_of.astimezone(self.zone).date()


@lru_cache(maxsize=64)
def _table(kind: str) -> Words:
    """Word sequences of a kind, longest first."""
    found = [
        (tuple(u.text for u in units(str(word))), str(value))
        for value, words in calendar()[kind].items()
        for word in words
    ]
    return tuple(sorted(found, key=lambda item: -len(item[0])))


@lru_cache(maxsize=64)
def _heads(kind: str) -> frozenset[str]:
    return frozenset(words[0] for words, _ in _table(kind))


def word_at(kind: str, seq: Sequence[Unit], i: int) -> tuple[str, int] | None:
    """The longest word of a kind at i: (its value, next position)."""
    if i >= len(seq) or seq[i].text not in _heads(kind):
        return None
    for words, value in _table(kind):
        if len(words) <= len(seq) - i and all(seq[i + k].text == word for k, word in enumerate(words)):
            return value, i + len(words)
    return None


def text_at(seq: Sequence[Unit], i: int) -> str:
    return seq[i].text if i < len(seq) else ""
