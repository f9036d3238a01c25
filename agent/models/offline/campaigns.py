"""Which past campaign is meant: by its id or name, by the month it began, by the words of its name."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from agent.models.offline.senses import Item
from agent.models.offline.units import units
from warehouse.catalog import Catalog, Words

Campaigns = Callable[[], Sequence[tuple[str, str, object]]]


@dataclass(frozen=True, slots=True)
class Campaign:
    id: str
    name: str
    started: date | None
    words: frozenset[str]
    own: frozenset[str] = frozenset()
    """The words of its name itself; `words` also holds what the catalog calls the same."""


@dataclass(frozen=True, slots=True)
class Match:
    """Campaigns that fit equally well, and the items that named them."""

    campaigns: tuple[Campaign, ...]
    items: tuple[Item, ...]


_TOO_COMMON = frozenset(
    {"campaign", "a", "the", "of", "for", "to", "and", "in", "on", "活", "动", "活动", "月", "年", "的", "第"}
)


_MONTH = re.compile(
    r"^(\d{1,2}月份?|january|february|march|april|may|june|july|august|september|october|november|december)\s*", re.I
)


class Archive:
    """The bank's campaigns with the words they are known by. Names are read once per request: there are dozens.

    Args:
        campaigns: gives (id, name, started_at).
        catalog: names in the other language are found through its words.
    """

    def __init__(self, campaigns: Campaigns, catalog: Catalog, zone: ZoneInfo) -> None:
        self._campaigns = campaigns
        self._zone = zone
        self._synonyms = _groups(catalog)
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def all(self) -> list[Campaign]:
        found = []
        for id_, name, started in self._campaigns():
            key = (id_, name)
            if key not in self._known:
                self._known[key] = self._words(name)
            own = frozenset(_grams(name) - _TOO_COMMON)
            found.append(Campaign(id_, name, _day(started, self._zone), self._known[key], own))
        return found

    def names(self) -> list[tuple[str, str]]:
        """(what a campaign is called, its id): its id, its name, each half of a bilingual name, also without the month."""
        found: list[tuple[str, str]] = []
        for campaign in self.all():
            parts = [campaign.id, campaign.name, *(part.strip() for part in campaign.name.split("/"))]
            parts += [_MONTH.sub("", part).strip() for part in parts]
            found.extend((part, campaign.id) for part in dict.fromkeys(parts) if len(part) > 2)
        return found

    def names_one(self, item: Item) -> bool:
        """Whether a word such as mailing or drive stands in some campaign's own name."""
        grams = _grams(item.text) - _TOO_COMMON
        return bool(grams) and any(grams <= campaign.own for campaign in self.all())

    def _words(self, text: str) -> frozenset[str]:
        """Its words, Chinese as pairs of characters, and what the catalog says in the other language."""
        words = _grams(text)
        folded = " ".join(u.text for u in units(text))
        squeezed = folded.replace(" ", "")
        for group in self._synonyms:
            if any((g in squeezed if not g.isascii() else f" {g} " in f" {folded} ") for g in group):
                for word in group:
                    words |= _grams(word)
        return frozenset(words - _TOO_COMMON)

    def match(self, items: Sequence[Item], months: Sequence[tuple[int, Item]]) -> Match | None:
        """The campaigns that share most words, and the month where one was said; None if nothing fits."""
        campaigns = self.all()
        named = [(item, {s.name for s in item.all("campaign")}) for item in items if item.has("campaign")]
        if named:
            ids = set.intersection(*(names for _, names in named))
            wanted_months = {month for month, _ in months}
            exact = [c for c in campaigns if c.id in ids
                     and (not wanted_months or c.started is None or c.started.month in wanted_months)]  # fmt: skip
            if exact:
                return Match(tuple(exact), (*(item for item, _ in named), *(item for _, item in months)))
        weight: dict[str, int] = {}
        for campaign in campaigns:
            for word in campaign.words:
                weight[word] = weight.get(word, 0) + 1
        scored: list[tuple[float, Campaign, set[int]]] = []
        wanted = {month for month, _ in months}
        for campaign in campaigns:
            if wanted and (campaign.started is None or campaign.started.month not in wanted):
                continue
            score, used = 0.0, set()
            for position, item in enumerate(items):
                shared = _grams(item.text) & campaign.words
                if shared and shared >= (_grams(item.text) - _TOO_COMMON):
                    # The name itself counts for more than what the catalog calls the same.
                    score += sum(
                        (2.0 if word in campaign.own else 1.0) / weight[word] for word in shared if word in weight
                    )
                    used.add(position)
            scored.append((score, campaign, used))
        if not scored:
            return None
        top = max(score for score, _, _ in scored)
        if top <= 0 and not wanted:
            return None
        best = [(campaign, used) for score, campaign, used in scored if abs(score - top) < 1e-9]
        positions = set().union(*(used for _, used in best))
        used_items = [items[p] for p in sorted(positions)] + [item for _, item in months]
        return Match(tuple(c for c, _ in best), tuple(used_items))


def _grams(text: str) -> set[str]:
    """English words, and Chinese characters two by two."""
    found: set[str] = set()
    sequence = units(text)
    for position, unit in enumerate(sequence):
        if unit.kind in ("word", "number"):
            found.add(unit.text)
        elif unit.kind == "han":
            following = sequence[position + 1] if position + 1 < len(sequence) else None
            if following is not None and following.kind == "han":
                found.add(unit.text + following.text)
    return found


def _groups(catalog: Catalog) -> list[frozenset[str]]:
    """Words that mean the same in both languages, from the whole catalog."""
    words: list[Words] = [a.words for a in catalog.attributes] + [e.words for e in catalog.events]
    words += [t.words for t in catalog.terms] + [m.words for m in catalog.metrics]
    for event in catalog.events:
        words.extend(value for prop in event.properties for value in prop.values)
    groups: list[frozenset[str]] = []
    for item in words:
        group = frozenset(
            " ".join(u.text for u in units(w)).replace(" ", "" if not w.isascii() else " ") for w in item.all()
        )
        groups.append(frozenset(g for g in group if len(g) > 1))
    return list(dict.fromkeys(groups))


def _day(value: object, zone: ZoneInfo) -> date | None:
    if isinstance(value, datetime):
        return (value.astimezone(zone) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and value:
        return date.fromisoformat(value[:10])
    return None
