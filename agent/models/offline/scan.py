"""A request read under the grammar of one intent, with what that intent uses ticked off."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from agent.models.offline.chart import read
from agent.models.offline.frames import Reading
from agent.models.offline.lexicon import Lexicon
from agent.models.offline.senses import Item
from agent.models.offline.time_words import Today

BASE = frozenset({
    "carry", "people", "everyone", "count", "have", "be", "not", "exclude", "exclude_close", "ba", "and", "or", "comma",
    "de", "scope", "op", "op_after", "unknown", "total", "top", "sample", "mature", "remaining", "next", "inside",
    "approx", "fraction", "share_of", "class_word", "wave", "move", "than", "more", "dozens", "ago", "coming", "attribute", "value", "property_value", "property", "event", "not_event", "term",
    "missing", "entity", "quantity", "range", "duration", "within", "window", "quote", "unread",
})  # fmt: skip
"""Kinds that conditions are made of; each intent adds its own."""

_SILENT = frozenset({"carry", "comma", "de", "people", "be"})


@dataclass(slots=True)
class Scan:
    """Items in order; `used` are those the intent has taken."""

    text: str
    items: list[Item]
    used: set[int] = field(default_factory=set)

    def take(self, *kinds: str) -> list[Item]:
        """All unused items of these kinds; they are used from now on."""
        found = []
        for position, item in enumerate(self.items):
            if position not in self.used and item.has(*kinds):
                self.used.add(position)
                found.append(item)
        return found

    def use(self, items: Iterable[Item]) -> None:
        spans = {(item.start, item.end) for item in items}
        self.used |= {p for p, item in enumerate(self.items) if (item.start, item.end) in spans}

    def has(self, *kinds: str) -> bool:
        return any(item.has(*kinds) for item in self.items)

    def rest(self) -> list[Item]:
        return [item for position, item in enumerate(self.items) if position not in self.used]

    def unread(self) -> list[Item]:
        """What is left and carries something."""
        return [item for item in self.rest() if not item.has(*_SILENT)]


def scan(text: str, lexicon: Lexicon, today: Today, kinds: frozenset[str], banned: frozenset[tuple[int, int]]) -> Scan:
    """Read under a grammar; `banned` spans (character offsets) may not be one word."""
    return Scan(text, read(text, lexicon, today, kinds, banned))


def best(
    text: str, lexicon: Lexicon, today: Today, kinds: frozenset[str], conditions: Callable[[Scan], Reading]
) -> tuple[Scan, Reading]:
    """The reading that leaves least unread: where words remain, each long word is tried in its parts.

    The longest words come first; only where they leave something unread may a shorter cover replace them, so that
    a vague or missing term is never split away to avoid its question.
    """
    first = scan(text, lexicon, today, kinds, frozenset())
    chosen = (first, conditions(first))
    if not chosen[1].unread:
        return chosen
    tried: list[tuple[tuple[int, int], ...]] = [()]
    for _ in range(2):
        improved = False
        for position, item in enumerate(chosen[0].items):
            if not _splittable(item) or not _near_unread(position, chosen[0].items, chosen[1].unread):
                continue
            banned = (*tried[-1], (item.start, item.end))
            other = scan(text, lexicon, today, kinds, frozenset(banned))
            reading = conditions(other)
            if len(reading.unread) < len(chosen[1].unread) and not _loses_question(chosen[1], reading):
                chosen, improved = (other, reading), True
                tried.append(banned)
                break
        if not chosen[1].unread or not improved:
            break
    return chosen


def _splittable(item: Item) -> bool:
    return len(item.text) > 1 and item.has(
        "attribute", "term", "event", "value", "count", "everyone", "op_after", "property", "property_value", "carry",
        "among", "only", "correct", "exclude", "this_group", "quantity", "not", "not_reached", "metric", "day_after",
    )  # fmt: skip


def _near_unread(position: int, items: Sequence[Item], unread: Sequence[Item]) -> bool:
    spans = {(item.start, item.end) for item in unread}
    low, high = max(0, position - 4), min(len(items), position + 5)
    return any((items[p].start, items[p].end) in spans for p in range(low, high))


def _loses_question(before: Reading, after: Reading) -> bool:
    """A missing bound or attribute may be found by splitting; what is vague or missing may not be split away."""
    kept = ("which_attribute", "no_comparison", "approximate")
    return sum(a.reason not in kept for a in after.asks) < sum(a.reason not in kept for a in before.asks)
