"""The words an expression may use for catalog entries: names, and their Chinese and English words."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from warehouse.catalog import Attribute, Catalog, Property, Value

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
class Vocabulary:
    """All indexes of a catalog, and `phrases`: words that a tokenizer must take whole, longest first."""

    attributes: Index
    events: Index
    properties: Mapping[str, Index]
    holdings: Index
    holding_fields: Mapping[str, Property]
    terms: Index
    phrases: Mapping[str, tuple[str, ...]]


_LEADING = {"and", "or", "not", "by", "in", "is", "to", "then", "where", "within", "between"}
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


def _build(catalog: Catalog) -> Vocabulary:
    attributes = _fields(catalog.attributes)
    events = _index(
        (e.name, [e.words.zh, e.words.en], [*e.words.synonyms_zh, *e.words.synonyms_en]) for e in catalog.events
    )
    properties = {e.name: _fields(e.properties) for e in catalog.events}
    entity = next((e for e in catalog.entities if e.table == "holdings"), None)
    fields = {p.name: p for p in (entity.properties if entity else [])}
    holdings = _fields(fields.values())
    terms = _index(
        (t.name, [t.words.zh, t.words.en], [*t.words.synonyms_zh, *t.words.synonyms_en]) for t in catalog.terms
    )
    words: set[str] = set()
    for index in (attributes, events, holdings, terms, *properties.values()):
        words.update(index.words())
    everything: list[Field] = [*catalog.attributes, *fields.values()]
    for event in catalog.events:
        everything.extend(event.properties)
    for field in everything:
        words.update(value_index(field.values).words())
    by_first: dict[str, list[str]] = {}
    for word in words:
        if word and not (word.isascii() and word.replace("_", "a").isalnum()) and word.split()[0] not in _LEADING:
            by_first.setdefault(word[0], []).append(word)
    phrases = {first: tuple(sorted(group, key=len, reverse=True)) for first, group in by_first.items()}
    return Vocabulary(attributes, events, properties, holdings, fields, terms, phrases)


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
