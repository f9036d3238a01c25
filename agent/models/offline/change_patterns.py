"""Conditions with two amounts of one customer: now beside then (AUM比30天前下降30%), one beside another (存款比理财多)."""

import re
from typing import cast

from agent.models.offline.amounts import Amount, amount
from agent.models.offline.asking import Asking
from agent.models.offline.attribute_groups import attribute_groups, named
from agent.models.offline.boolean import conjunction
from agent.models.offline.frames import Ask
from agent.models.offline.lexicon import comparable
from agent.models.offline.numbers import Quantity, as_number
from agent.models.offline.senses import Duration, Item
from tools.segment import to_text
from tools.segment.schema import Arithmetic, Attr, Calendar, Compare, Comparison, Const, Last, Node, Operand
from warehouse.catalog import Attribute, Catalog, Kind

_THEN_ZH = re.compile(r"^(?:(\d+)[天日]|(一个月|上个?月|一周|一年))前?$")
_THEN_EN = re.compile(r"^(?:(\d+) days?|(?:a|one) (month|week|year)) ago$")
_DATED = re.compile(
    r"^(?:\d+[天日]|一个月|上个?月|一周|一年)|(?:\d+[天日]|一个月|上个?月|一周|一年)前?$|^(?:\d+ days?|an?|one) | ago$"
)
"""A name that may say when: only such attributes are looked through for one that holds an earlier amount."""
_DAYS = {"一个月": 30, "上月": 30, "上个月": 30, "一周": 7, "一年": 365, "month": 30, "week": 7, "year": 365}
_TURNED: dict[str, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "": "<="}
_GLUE = ("de", "be", "have", "comma", "carry", "by", "than")


class ChangePatterns(Asking):
    """Patterns around words of change and comparison."""

    def _change(self, i: int) -> int | None:
        """AUM比30天前下降30%以上, AUM fell by more than 30% in 30 days, 近30天AUM掉了5万."""
        items = self.items
        now: Attribute | None = None
        then: tuple[Attribute, int] | None = None
        days: int | None = None
        move = ""
        said: Amount | None = None
        j, end = i, i
        while j < len(items):
            item = items[j]
            attributes = [a for a in self._attributes(j) if comparable(a)]
            pair = next((p for a in attributes if (p := earlier(a, self.catalog))), None)
            if now is None and pair is not None:
                now, then = next(a for a in attributes if earlier(a, self.catalog)), pair
            elif then is not None and any(a.name == then[0].name for a in attributes):
                days = then[1]
            elif not move and (sense := item.sense("move")) and now is not None:
                move = sense.name
            elif days is None and (length := _length(item)) is not None and (now is None or not self._next_verb(j)):
                days = length
            elif move and said is None and (read := amount(items, j)) and _amount_of_change(read[0]):
                said, j = read[0], read[1] - 1
            elif not (j > i and item.has(*_GLUE)) or item.has("event", "attribute"):
                break
            if not item.has(*_GLUE) or item.has("move", "quantity", "ago"):
                end = j + 1
            j += 1
        if now is None and (unpaired := self._without_earlier(i)) is not None:
            return unpaired
        if now is None or then is None or not move:
            return None
        node = changed(Attr(name=now.name), Attr(name=then[0].name), move, said)
        if node is None:
            self._ask_approximate(i, end)
            return end
        if days is not None and days != then[1]:
            label = then[0].words.name(self.language)
            self.asks.append(
                Ask("period_missing", label, items[i].start, items[end - 1].end, ((label, to_text(node)),))
            )
            return end
        return self._push(node, "ratio", i, end)

    def _without_earlier(self, i: int) -> int | None:
        """存款下降20%: no earlier figure of it is kept; the one amount that has one is offered."""
        items = self.items
        amounts = [a for a in self._attributes(i) if a.kind is Kind.money]
        j = i + 1
        while j < len(items) and items[j].has("be", "than", "ago"):
            j += 1
        sense = items[j].sense("move") if amounts and j < len(items) else None
        if sense is None:
            return None
        paired = next(((a, p) for a in self.catalog.attributes if (p := earlier(a, self.catalog))), None)
        if paired is None:
            return None
        read = amount(items, j + 1 + (1 if j + 1 < len(items) and items[j + 1].has("by") else 0))
        said, end = read if read and _amount_of_change(read[0]) else (None, j + 1)
        own, (then, _) = paired
        node = changed(Attr(name=own.name), Attr(name=then.name), sense.name, said)
        label = then.words.name(self.language)
        choices = ((label, to_text(node)),) if node is not None else ()
        self.asks.append(Ask("period_missing", label, items[i].start, items[end - 1].end, choices))
        return end

    def _next_verb(self, j: int) -> bool:
        k = j + 1
        return k < len(self.items) and self.items[k].has("event", "not_event", "not")

    def _compared(self, i: int) -> int | None:
        """存款比理财多, 存款比理财多10万以上, deposits higher than wealth, more deposits than wealth products."""
        items = self.items
        front = items[i].sense("more")
        j = i + 1 if front else i
        left = self._money_of(j)
        if left is None or j + 2 >= len(items):
            return None
        if front or items[j].start == items[i].start:
            j += 1
        while j < len(items) and items[j].has("be", "have") and not items[j].has("than"):
            j += 1
        op: Comparison | None = None
        if j < len(items) and items[j].has("op") and not front:
            op, j = cast(Comparison, items[j].sense("op").name), j + 1  # type: ignore[union-attr]
            right = self._money_of(j)
            if right is None or right.name == left.name or self._attributes(j):
                return None
            return self._push(
                Compare(left=Attr(name=left.name), op=op, right=Attr(name=right.name)), "compared", i, j + 1
            )
        if j >= len(items) or not items[j].has("than"):
            return None
        right = self._money_of(j + 1)
        if right is None or right.name == left.name:
            return None
        j += 2
        if front is None:
            while j < len(items) and items[j].has("be", "have") and not items[j].has("more"):
                j += 1
            front = items[j].sense("more") if j < len(items) else None
            if front is None:
                return None
            j += 1
        op = cast(Comparison, front.name)
        low, high = (right, left) if op == ">" else (left, right)
        read = amount(items, j)
        if (
            read
            and isinstance(read[0].value, Quantity)
            and read[0].measure in ("money", "wan", "")
            and read[0].factor > 1
        ):
            gap = Arithmetic(op="-", left=Attr(name=high.name), right=Attr(name=low.name))
            node: Node = Compare(
                left=gap, op=cast(Comparison, read[0].op or ">="), right=Const(value=read[0].value.plain)
            )
            return self._push(node, "compared", i, read[1])
        return self._push(Compare(left=Attr(name=left.name), op=op, right=Attr(name=right.name)), "compared", i, j)

    def _money_of(self, i: int) -> Attribute | None:
        """The amount an item names: an attribute, or the kind of product that an attribute's words share."""
        if i >= len(self.items):
            return None
        spoken = [a for a in self._attributes(i) if a.kind is Kind.money]
        if spoken:
            return spoken[0]
        words = {
            word.casefold()
            for sense in self.items[i].all("property_value")
            for prop in [p for e in self.catalog.events for p in e.properties]
            + [p for e in self.catalog.entities for p in e.properties]
            if prop.name == sense.detail
            for value in prop.values
            if value.value == sense.name
            for word in value.all()
        }
        fitting = named(attribute_groups(self.catalog).money_words, words)
        return fitting[0] if len(fitting) == 1 else None


def _length(item: Item) -> int | None:
    """Days back that an item speaks of: 30天前, 近30天, in 30 days, 上个月."""
    if sense := item.sense("ago", "within", "duration"):
        return cast(Duration, sense.value).days
    for sense in item.all("window"):
        if isinstance(sense.value, Last):
            return sense.value.amount if sense.value.unit == "d" else None
        if isinstance(sense.value, Calendar) and sense.value.period == "last_month":
            return 30
    return None


def _amount_of_change(said: Amount) -> bool:
    return isinstance(said.value, Quantity) and said.measure in ("percent", "money", "wan", "")


def changed(now: Operand, then: Operand, move: str, said: Amount | None) -> Node | None:
    """The condition of a rise or fall; without an amount any; a bare amount means at least so much; None if approximate."""
    if said is None:
        return Compare(left=now, op=cast(Comparison, move), right=then)
    if said.approximate or not isinstance(said.value, Quantity):
        return None
    falls = move == "<"
    if said.value.measure == "percent":
        share = as_number(1 - said.value.value / 100 if falls else 1 + said.value.value / 100)
        op = _TURNED[said.op] if falls else cast(Comparison, said.op or ">=")
        node: Node = Compare(left=Arithmetic(op="/", left=now, right=then), op=op, right=Const(value=share))
        bound: Comparison = "<" if falls else ">"
    else:
        high, low = (then, now) if falls else (now, then)
        op = cast(Comparison, said.op or ">=")
        node = Compare(left=Arithmetic(op="-", left=high, right=low), op=op, right=Const(value=said.value.plain))
        bound = "<" if falls else ">"
    if said.op in ("<", "<="):
        # A fall of less than 30% is still a fall.
        return conjunction([Compare(left=now, op=bound, right=then), node])
    return node


def earlier(attribute: Attribute, catalog: Catalog) -> tuple[Attribute, int] | None:
    """The attribute that holds the same amount some days ago, by the catalog's words: `30天前AUM` is AUM, 30 days back."""
    # Kept with the catalog, like its own indexes.
    known: dict[str, tuple[Attribute, int] | None] = catalog.__dict__.setdefault("_earlier", {})
    if attribute.name not in known:
        known[attribute.name] = _earlier(attribute, catalog)
    return known[attribute.name]


def _earlier(attribute: Attribute, catalog: Catalog) -> tuple[Attribute, int] | None:
    dated: list[Attribute] | None = catalog.__dict__.get("_dated")
    if dated is None:
        dated = catalog.__dict__["_dated"] = [
            a for a in catalog.attributes if any(_DATED.search(w) for w in a.words.all())
        ]
    for other in dated:
        if other.kind is not attribute.kind or other.name == attribute.name:
            continue
        for word in other.words.all():
            for own in attribute.words.all():
                rest = (
                    word[: -len(own)]
                    if word.endswith(own)
                    else word[len(own) :].strip()
                    if word.startswith(own)
                    else ""
                )
                match = (
                    (_THEN_ZH if not own.isascii() or not rest.isascii() else _THEN_EN).match(rest) if rest else None
                )
                if match:
                    return other, int(match.group(1)) if match.group(1) else _DAYS[match.group(2)]
    return None
