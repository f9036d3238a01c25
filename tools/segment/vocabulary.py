"""The words an expression may use for catalog entries: names, and their Chinese and English words."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from warehouse.catalog import Attribute, Catalog, Entity, Kind, Property, Value, Words

Field = Attribute | Property


@dataclass(frozen=True)
class Index:
    """Words of one group of entries: names first, then proper words, then synonyms.

    `ranks` holds a map of folded word to entry names for each of the three; the first that knows a word decides.
    """

    ranks: tuple[Mapping[str, tuple[str, ...]], ...]

    def find(self, word: str) -> tuple[str, ...]:
        """The entries a word may mean: none, one, or several that are equally near."""
        folded = fold(word)
        return next((rank[folded] for rank in self.ranks if folded in rank), ())

    def words(self) -> list[str]:
        return [word for rank in self.ranks for word in rank]


@dataclass(frozen=True)
class Listing:
    """A list of rows that every customer has: the occurrences of an event, or the rows of a detail table.

    `time` names the property that windows are about; empty where there is none. `entity` is None for an event.
    """

    name: str
    words: Words
    fields: Mapping[str, Property]
    index: Index
    time: str
    entity: Entity | None = None

    @property
    def monthly(self) -> bool:
        return self.entity is not None and self.entity.grain == "month"

    @property
    def dated(self) -> bool:
        """Its time is a day, not an instant."""
        return self.time in self.fields and self.fields[self.time].kind is Kind.date


@dataclass(frozen=True)
class Vocabulary:
    """All indexes of a catalog, and `phrases`: words that a tokenizer must take whole, longest first."""

    attributes: Index
    lists: Index
    listings: Mapping[str, Listing]
    terms: Index
    phrases: Mapping[str, tuple[str, ...]]

    @property
    def holding(self) -> Listing | None:
        """The detail table of what customers hold."""
        return next((x for x in self.listings.values() if x.entity is not None and x.entity.table == "holdings"), None)


OCCURRENCE = (
    Property(name="occurred_at", kind=Kind.timestamp, words=Words(zh="发生时间", en="time of the event"), source="occurred_at"),
    Property(name="day", kind=Kind.date, words=Words(zh="发生日期", en="day of the event"), source="occurred_at:day"),
    Property(name="hour", kind=Kind.integer, words=Words(zh="发生时点", en="hour of the day"), source="occurred_at:hour"),
    Property(name="weekday", kind=Kind.integer, words=Words(zh="星期几", en="day of the week"), source="occurred_at:weekday"),
)  # fmt: skip
"""What every event has besides the properties that the catalog gives it; hours 0 to 23, Monday is 1."""

_LEADING = {"and", "or", "not", "by", "in", "is", "to", "then", "where", "within", "between", "during"}
"""A phrase that begins with one of these would swallow a keyword of the language; it must be written in quotes."""


def fold(text: str) -> str:
    """Text as words are compared: full-width forms, letter case and runs of blanks folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def vocabulary(catalog: Catalog) -> Vocabulary:
    """The vocabulary of a catalog; made once and kept with it, like the catalog's own indexes."""
    found = catalog.__dict__.get("_eql_vocabulary")
    if not isinstance(found, Vocabulary):
        found = _build(catalog)
        catalog.__dict__["_eql_vocabulary"] = found
    return found


def value_index(values: Iterable[Value]) -> Index:
    return _index((v.value, [v.zh, v.en], [*v.synonyms_zh, *v.synonyms_en]) for v in values)


def _listings(catalog: Catalog) -> dict[str, Listing]:
    """Events and detail tables by name; where both have a name, the event keeps it."""
    found = {}
    for event in catalog.events:
        fields = {p.name: p for p in (*OCCURRENCE, *event.properties)}
        found[event.name] = Listing(event.name, event.words, fields, _fields(fields.values()), "occurred_at")
    for entity in catalog.entities:
        fields = {p.name: p for p in entity.properties}
        listing = Listing(entity.name, entity.words, fields, _fields(fields.values()), entity.time, entity)
        found.setdefault(entity.name, listing)
    return found


def _build(catalog: Catalog) -> Vocabulary:
    attributes = _fields(catalog.attributes)
    listings = _listings(catalog)
    lists = _index(
        (x.name, [x.words.zh, x.words.en, *([x.entity.table] if x.entity else [])], [*x.words.synonyms_zh, *x.words.synonyms_en])
        for x in listings.values()
    )  # fmt: skip
    terms = _index(
        (t.name, [t.words.zh, t.words.en], [*t.words.synonyms_zh, *t.words.synonyms_en]) for t in catalog.terms
    )
    words: set[str] = set()
    for index in (attributes, lists, terms, *(x.index for x in listings.values())):
        words.update(index.words())
    everything: list[Field] = [*catalog.attributes]
    for listing in listings.values():
        everything.extend(listing.fields.values())
    for field in everything:
        words.update(value_index(field.values).words())
    by_first: dict[str, list[str]] = {}
    for word in words:
        if word and not (word.isascii() and word.replace("_", "a").isalnum()) and word.split()[0] not in _LEADING:
            by_first.setdefault(word[0], []).append(word)
    phrases = {first: tuple(sorted(group, key=len, reverse=True)) for first, group in by_first.items()}
    return Vocabulary(attributes, lists, listings, terms, phrases)


def _fields(fields: Iterable[Field]) -> Index:
    return _index((f.name, [f.words.zh, f.words.en], [*f.words.synonyms_zh, *f.words.synonyms_en]) for f in fields)


def _index(entries: Iterable[tuple[str, list[str], list[str]]]) -> Index:
    ranks: tuple[dict[str, tuple[str, ...]], ...] = ({}, {}, {})
    for name, words, synonyms in entries:
        for rank, group in zip(ranks, ([name], words, synonyms), strict=True):
            for word in group:
                folded = fold(word)
                if folded and name not in rank.get(folded, ()):
                    rank[folded] = (*rank.get(folded, ()), name)
    return Index(ranks)
