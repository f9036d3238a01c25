"""Everything the model can read: words of the catalog, of the playbooks and campaigns, and the closed grammar.

Words are matched on sequences of units with a trie. The same word may have several senses (a value of two attributes):
all are kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agent.models.offline.data import grammar
from agent.models.offline.senses import Sense
from agent.models.offline.units import Unit, units
from warehouse.catalog import Attribute, Catalog, Entity, Event, Kind, Property, Words

_STRIP = ("客户", "用户", " customers", " customer", " clients")
_FILL = frozenset({"a", "an", "the", "their", "his", "her", "its", "our", "any"})


def _grams(text: str) -> set[str]:
    """English words, and Chinese characters two by two (a single one by itself)."""
    sequence = [u for u in units(text) if u.kind in ("word", "han", "number")]
    found = {u.text for u in sequence if u.kind != "han"}
    han = [u for u in sequence if u.kind == "han"]
    found |= {a.text + b.text for a, b in pairwise(han) if a.end == b.start}
    if len(han) == 1:
        found.add(han[0].text)
    return found


KINDS = frozenset(grammar()) | {
    "attribute", "value", "property_value", "property", "event", "not_event", "term", "missing", "entity", "metric", "campaign",
    "quantity", "range", "duration", "within", "window", "month", "moment", "day_at", "day_after", "ago", "coming",
    "quote", "unread",
}  # fmt: skip
"""All kinds of sense there are."""


@dataclass(slots=True)
class _Node:
    next: dict[str, "_Node"] = field(default_factory=dict)
    senses: list[Sense] = field(default_factory=list)
    known: set[Sense] = field(default_factory=set)


class Lexicon:
    """A trie from unit sequences to senses.

    Args:
        catalog: the bank's catalog; nothing about data is known from elsewhere.
        examples: requests that playbooks answer; their words are known as themes.
    """

    def __init__(self, catalog: Catalog, examples: Iterable[str] = ()) -> None:
        self.catalog = catalog
        self.kinds = KINDS
        self._examples = frozenset(gram for text in examples for gram in _grams(text))
        self._root = _Node()
        self._cut: dict[str, list[Unit]] = {}
        for kind, values in grammar().items():
            for value, words in values.items():
                for word in words:
                    self.add(str(word), Sense(kind, str(value)))
        named = list(catalog_words(catalog))
        for word, sense in named:
            self.add(word, sense)
        for word, sense in _shortened(named):
            if not self.known(word):
                self.add(word, sense)
        for word, event in self._negated_events():
            self.add(word, Sense("not_event", event))
        self._cut.clear()

    def known(self, word: str) -> bool:
        """Whether the word has a sense already."""
        sequence = self._units(word)
        return any(end == len(sequence) for end, _ in self.match(sequence, 0))

    def _units(self, word: str) -> list[Unit]:
        """A word's units; while the lexicon is made each is asked for several times."""
        if word not in self._cut:
            self._cut[word] = units(word)
        return self._cut[word]

    def in_examples(self, text: str) -> bool:
        """Whether every word (Chinese: every pair of characters) of a text occurs in some example request."""
        grams = _grams(text)
        return bool(grams) and grams <= self._examples

    def _negated_events(self) -> list[tuple[str, str]]:
        """Names of attributes and terms that say `not` and an event (没登录): they may be read as just that."""
        found: list[tuple[str, str]] = []
        negations: dict[str, list[list[str]]] = {}
        for words in grammar()["not"].values():
            for texts in ([u.text for u in units(word)] for word in words):
                negations.setdefault(texts[0], []).append(texts)
        groups: list[Words] = [a.words for a in self.catalog.attributes] + [t.words for t in self.catalog.terms]
        for word in {word for group in groups for word in group.all()}:
            sequence = self._units(word)
            for negation in negations.get(sequence[0].text, []) if sequence else []:
                size = len(negation)
                if len(sequence) > size and [u.text for u in sequence[:size]] == negation:
                    rest = sequence[size:]
                    if rest[-1].text == "for":
                        rest = rest[:-1]
                    ends = [(end, senses) for end, senses in self.match(rest, 0) if end == len(rest)]
                    found.extend((word, s.name) for _, senses in ends for s in senses if s.kind == "event")
        return sorted(set(found))

    def add(self, word: str, sense: Sense) -> None:
        """Make a word known. Empty words are ignored."""
        sequence = [unit.text for unit in self._units(word)]
        if not sequence:
            return
        if len(sequence) == 1 and sense.kind in ("value", "term") and word.lower().endswith(("ed", "ing")):
            sequence = [f"={word.lower()}"]  # an adjective: only as written, never another form of its verb
        node = self._root
        for text in sequence:
            node = node.next.setdefault(text, _Node())
        if sense not in node.known:
            node.known.add(sense)
            node.senses.append(sense)

    def match(self, seq: Sequence[Unit], i: int) -> Iterator[tuple[int, list[Sense]]]:
        """All words that begin at unit i: (next position, senses), shortest first."""
        written = self._root.next.get(f"={seq[i].exact}") if i < len(seq) and seq[i].exact else None
        if written is not None:
            yield i + 1, written.senses
        node = self._root
        for j in range(i, len(seq)):
            following = node.next.get(seq[j].text)
            if following is None and j > i and seq[j].text in _FILL and j + 1 < len(seq):
                # "hold a credit card" matches "hold credit card": articles inside a phrase are skipped.
                continue
            if following is None:
                return
            node = following
            if node.senses:
                yield j + 1, node.senses


def _shortened(words: Iterable[tuple[str, Sense]]) -> Iterator[tuple[str, Sense]]:
    """Other forms people use: without a closing 客户 or customer; a Chinese verb with 过 or 了 before its object."""
    for word, sense in words:
        if sense.kind in ("attribute", "value", "term"):
            for ending in _STRIP:
                if word.lower().endswith(ending) and len(word) > len(ending) + 1:
                    yield word[: -len(ending)].strip(), sense
        if (
            sense.kind == "attribute"
            and len(word) >= 4
            and not word.isascii()
            and "了" not in word
            and "有" not in word
        ):
            yield f"{word[:2]}了{word[2:]}", sense
        if sense.kind == "event" and not word.isascii() and len(word) >= 3 and "过" not in word and "了" not in word:
            verb = 2 if len(word) > 3 else 1
            for mark in ("过", "了"):
                yield f"{word[:verb]}{mark}{word[verb:]}", sense


def catalog_words(catalog: Catalog) -> Iterator[tuple[str, Sense]]:
    """(word, sense) of every attribute, value, event, property, metric, term and missing entry."""
    for attribute in catalog.attributes:
        yield attribute.name, Sense("attribute", attribute.name)
        for word in attribute.words.all():
            yield word, Sense("attribute", attribute.name)
        yield from _values(attribute)
    for event in catalog.events:
        yield event.name, Sense("event", event.name)
        for word in [*event.words.all(), *event.verbs_zh, *event.verbs_en]:
            yield word, Sense("event", event.name)
        yield from _properties(event.properties)
    for entity in catalog.entities:
        yield entity.name, Sense("entity", entity.name)
        for word in entity.words.all():
            yield word, Sense("entity", entity.name)
        yield from _properties(entity.properties)
    for metric in catalog.metrics:
        # The number of customers is what a segment's count already says.
        plain_count = metric.kind == "count" and not metric.condition
        yield metric.name, Sense("metric", metric.name)
        for word in metric.words.all():
            yield word, Sense("count" if plain_count else "metric", "" if plain_count else metric.name)
    for term in catalog.terms:
        for word in term.words.all():
            yield word, Sense("term", term.name)
    for position, missing in enumerate(catalog.missing):
        for word in missing.words.all():
            yield word, Sense("missing", str(position))


def _values(attribute: Attribute) -> Iterator[tuple[str, Sense]]:
    for value in attribute.values:
        sense = Sense("value", value.value, attribute.name)
        yield value.value, sense
        for word in value.all():
            yield word, sense


def _properties(properties: Iterable[Property]) -> Iterator[tuple[str, Sense]]:
    for item in properties:
        if not item.name.startswith("is_"):  # `is MAU …` is a question about MAU
            yield item.name, Sense("property", item.name)
        for word in item.words.all():
            yield word, Sense("property", item.name)
        for value in item.values:
            sense = Sense("property_value", value.value, item.name)
            yield value.value, sense
            for word in value.all():
                yield word, sense


def kind_property(entity_or_event: Entity | Event, value: Sense) -> Property | None:
    """The property of an event or detail table that has this value."""
    for item in entity_or_event.properties:
        if item.name == value.detail and any(v.value == value.name for v in item.values):
            return item
    return None


def comparable(attribute: Attribute) -> bool:
    """Amounts can be compared with it."""
    return attribute.kind in (Kind.number, Kind.money, Kind.integer)
