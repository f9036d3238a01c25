"""What reading the conditions of a text keeps in mind: the row so far, open negations and windows, questions."""

from collections.abc import Sequence
from typing import cast

from agent.models.offline import events as ev
from agent.models.offline.amounts import (
    Amount,
    amount,
    forward,
    skip,
)
from agent.models.offline.attribute_groups import attribute_groups
from agent.models.offline.frames import Ask, Atom, Join
from agent.models.offline.lexicon import kind_property
from agent.models.offline.senses import Item, Sense
from agent.models.offline.time_words import Today
from tools.segment.schema import (
    Node,
    Not,
    Window,
)
from warehouse.catalog import Attribute, Catalog, Kind, Language

_JOINS: tuple[tuple[str, Join], ...] = (
    ("or", "or"), ("and", "and"), ("comma", "comma"), ("de", "de"), ("scope", "scope"), ("people", "people"),
)  # fmt: skip


class Row:
    """Items of one request and the row of conditions read from them; the patterns of the grammar build on it.

    Args:
        items: what the intent has not used, carriers included.
        today: what calendar words rest on; None reads none of those that need it.
        acts: a word that is an action and a state is the action: what customers do between two waves.
    """

    def __init__(
        self,
        items: Sequence[Item],
        catalog: Catalog,
        language: Language,
        text: str,
        today: Today | None = None,
        acts: bool = False,
    ) -> None:
        self.today = today
        self.acts = acts
        self.items = [item for item in items if not all(s.kind == "carry" for s in item.senses)]
        self.catalog = catalog
        self.language = language
        self.text = text
        self.asks: list[Ask] = []
        self.unread: list[Item] = []
        self.notes: list[str] = []
        self.row: list[Atom | Join] = []
        self.negated = False
        self._pending_not: Item | None = None
        self.never = False
        self.excluding = False
        self.window: tuple[Item, Window] | None = None
        self.waiting: Item | None = None
        self.times: Amount | None = None
        self.total = False
        self.last_event: ev.EventSaid | None = None
        self.prefix: Item | None = None
        self.clause = 0

    def _function_word(self, i: int) -> int | None:
        item = self.items[i]
        if item.has("not") and self._closes(i):
            self._negate_before()
            return i + 1
        if item.has("not"):
            self._pending_not, self.negated = item, not self.negated or item.has("exclude")
            sense = cast(Sense, item.sense("not"))
            self.never = sense.name == "never"
            return i + 1
        if item.has("exclude"):
            self._exclude(item)
            return i + 1
        if item.has("exclude_close", "ba", "only", "among", "everyone_", "count") and not item.has("unread"):
            if item.has("exclude_close"):
                self.excluding = self.negated = False
            return i + 1
        if item.has("window", "within") or (item.has("duration") and not item.has("quantity")):
            window = ev.item_window(item)
            if self.waiting is not None or window is None:
                return None
            self.window, self.waiting = (item, window), item
            return i + 1
        for kind, join in _JOINS:
            if item.has(kind):
                self.row.append(join)
                if join in ("comma", "scope"):
                    self._end_clause(join)
                if join == "de" and self.excluding:
                    self.excluding = self.negated = False
                return i + 1
        if item.has("have", "be", "carry"):
            return i + 1
        if item.has("total") and self._negation_ahead(i + 1):
            self.total = True
            return i + 1
        if (
            item.has("op")
            and i + 1 < len(self.items)
            and self.items[i + 1].has("duration")
            and self.waiting is None
            and cast(Sense, item.sense("op")).name in (">", ">=")
            and self._negation_ahead(i + 2)
        ):
            window = cast(Window, ev.item_window(self.items[i + 1]))
            self.window, self.waiting = (self.items[i + 1], window), self.items[i + 1]
            return i + 2
        if (
            item.has("duration")
            and self.waiting is None
            and self._negation_ahead(i + 2 if i + 1 < len(self.items) and self.items[i + 1].has("op_after") else i + 1)
        ):
            self.window, self.waiting = (item, cast(Window, ev.item_window(item))), item
            return i + 2 if self.items[i + 1].has("op_after") else i + 1
        read = amount(self.items, i)
        if (
            read
            and self.times is None
            and (read[0].measure == "times" or (read[0].op and not read[0].measure and self._event_at(read[1])))
        ):
            self.times = read[0]
            return read[1]
        return None

    def _negation_ahead(self, i: int) -> bool:
        return i < len(self.items) and self.items[i].has("not", "not_event", "event")

    def _event_at(self, i: int) -> bool:
        """`3+ logins`: the number counts occurrences."""
        return i < len(self.items) and self.items[i].has("event") and not self.items[i].has("attribute")

    def _exclude(self, item: Item) -> None:
        """`剔掉代发的` governs what follows; `代发的剔掉` and `把代发的剔掉` what went before."""
        position = self.items.index(item)
        rest = [x for x in self.items[position + 1 :] if not x.has("comma", "carry", "de", "people")]
        if rest or not item.han:
            self.excluding = self.negated = True
            self._pending_not = None
            return
        for place in range(len(self.row) - 1, -1, -1):
            element = self.row[place]
            if element == "comma":
                break
            if isinstance(element, Atom):
                self.row[place] = Atom(negate(element.node), element.key, element.noun, element.start, element.end)
        self.row[:] = ["and" if x == "or" else x for x in self.row]

    def _closes(self, i: int) -> bool:
        """`信用卡或贷款都没有`: a negation after its nouns."""
        j = skip(self.items, i + 1, "de", "people")
        last = next((x for x in reversed(self.row) if x != "none"), None)
        return isinstance(last, Atom) and last.noun and (j >= len(self.items) or self.items[j].has("comma", "count"))

    def _negate_before(self) -> None:
        for place in range(len(self.row) - 1, -1, -1):
            element = self.row[place]
            if isinstance(element, Atom):
                if not element.noun:
                    break
                self.row[place] = Atom(negate(element.node), element.key, True, element.start, element.end)
            elif element in ("comma", "scope", "people", "de"):
                break
            elif element == "or":
                self.row[place] = "and"

    def _end_clause(self, join: Join) -> None:
        if join == "comma":
            self.excluding = self.negated = False
            self._pending_not = None
        self.clause += 1

    def _push(self, node: Node, key: str, i: int, j: int, noun: bool = False) -> int:
        """Add a condition, negated where a `not` is open; a negation governs the next of several nouns too."""
        if self.row and isinstance(self.row[-1], Atom):
            self.row.append("none")
        negated = self.negated
        if negated:
            node = negate(node)
        start, end = self.items[i].start, self.items[j - 1].end
        self.row.append(Atom(node, key, noun, start, end))
        if negated and not self.excluding:
            self.negated = False
            self._pending_not = None
            if noun and self._another_noun(j):
                self.negated = True
        if negated:
            # not (a or b) is (not a) and (not b)
            self._and_from_or(j)
        return j

    def _another_noun(self, j: int) -> bool:
        """`no credit card or loan`, `没有信用卡和贷款`: the next noun stands bare after its join."""
        if not (j < len(self.items) and self.items[j].has("or", "and") and not self.items[j].has("de")):
            return False
        if self.items[j].text.strip() in (
            "但",
            "但是",
            "but",
            "不过",
            "却",
            "while",
            "并且",
            "而且",
            "同时",
            "又",
            "且",
        ):
            return False
        k = j + 1
        if k >= len(self.items) or self.items[k].has("not", "have", "be", "event", "window", "op", "exclude", "term"):
            return False
        bools = [self.catalog.attribute(s.name) for s in self.items[k].all("attribute")]
        noun = any(a.kind is Kind.bool or a.kind is Kind.money for a in bools) or self.items[k].has("property_value")
        return noun and not self._has_comparison(k)

    def _has_comparison(self, k: int) -> bool:
        return amount(self.items, skip(self.items, k + 1, "be", "de")) is not None

    def _and_from_or(self, j: int) -> None:
        if self.negated and j < len(self.items) and self.items[j].has("or"):
            item = self.items[j]
            self.items[j] = Item(item.start, item.end, item.text, (Sense("and"),))

    def _attributes(self, i: int) -> list[Attribute]:
        if i >= len(self.items):
            return []
        return [self.catalog.attribute(sense.name) for sense in self.items[i].all("attribute")]

    def _kind_at(self, i: int) -> str | None:
        """The holding kind that an item names."""
        if i >= len(self.items):
            return None
        for entity in self.catalog.entities:
            if entity.table != "holdings":
                continue
            for sense in self.items[i].all("property_value"):
                if sense.detail == "kind" and kind_property(entity, sense):
                    return sense.name
        return None

    def _is_maturity(self, i: int) -> bool:
        return any(a.derived and a.derived.kind == "days_to_next_maturity" for a in self._attributes(i))

    def _ages(self, i: int) -> list[Attribute]:
        """Attributes that count the days since the date an item names: 开户 for `开户不到100天`."""
        dates = {a.name for a in self._attributes(i) if a.kind in (Kind.date, Kind.timestamp)}
        found = []
        for attribute in attribute_groups(self.catalog).derived:
            derived = attribute.derived
            if derived is not None and derived.kind == "days_since" and derived.column in dates:
                found.append(attribute)
        return found

    def _coming(self, j: int) -> list[Attribute]:
        """Attributes that count down to what an item names: `未来7天发薪` is about the days to payday."""
        if j >= len(self.items) or not self.items[j].has("event", "attribute"):
            return []
        text = self.items[j].text.casefold()
        return [
            a
            for a in attribute_groups(self.catalog).derived
            if forward(a) and any(text in w.casefold() for w in a.words.all())
        ]


def negate(node: Node) -> Node:
    """The complement; a double negation cancels out."""
    return node.child if isinstance(node, Not) else Not(child=node)
